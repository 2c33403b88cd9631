#include "explore.h"
bool trace_script(const struct trace *trace, FILE *to) { (void)trace; (void)to; return false; }
