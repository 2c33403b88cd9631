/* What the files of the calls share. Each call_ function tries its call once more, and says whether it has returned; a call
 * that blocks is tried again after everything that happens. SPDX-License-Identifier: MIT */
#ifndef SCRIPT_CALLS_H
#define SCRIPT_CALLS_H

#include "script_run.h"

/* script_calls.c */
bool returns(struct call *call, int64_t value);
bool fails(struct call *call, const char *error);
bool blocks(struct call *call, bool nonblocking, const char *error);
struct socket *socket_argument(struct run *run, struct call *call);
const char *pending_error(struct socket *socket);
bool untold(struct run *run, const struct call *call,
            uint32_t index); /* that argument is ... or NULL; else unsupported */
void check_out(struct run *run, const char *what, const struct expression *told, int64_t actual);

/* script_open.c: opening and closing */
struct socket *waiting_child(struct run *run, const struct socket *listener);
bool call_socket(struct run *run, struct call *call);
bool call_bind(struct run *run, struct call *call);
bool call_listen(struct run *run, struct call *call);
bool call_accept(struct run *run, struct call *call);
bool call_connect(struct run *run, struct call *call);
bool call_shutdown(struct run *run, struct call *call);
bool call_close(struct run *run, struct call *call);

/* script_data.c: sending and receiving */
bool call_write(struct run *run, struct call *call);
bool call_writev(struct run *run, struct call *call);
bool call_read(struct run *run, struct call *call);
bool call_readv(struct run *run, struct call *call);

/* script_sockopt.c */
bool call_getsockopt(struct run *run, struct call *call);
bool call_setsockopt(struct run *run, struct call *call);

#endif
