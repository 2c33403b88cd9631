/* RFC 9293's words. */
#include "core.h"

/*@ assigns \result \from state;
    ensures named: \valid_read(\result + (0 .. 1));
*/
const char *vtcp_state_name(uint8_t state)
{
  switch (state) {
  case VTCP_CLOSED: return "CLOSED";
  case VTCP_LISTEN: return "LISTEN";
  case VTCP_SYN_SENT: return "SYN-SENT";
  case VTCP_SYN_RECEIVED: return "SYN-RECEIVED";
  case VTCP_ESTABLISHED: return "ESTABLISHED";
  case VTCP_FIN_WAIT_1: return "FIN-WAIT-1";
  case VTCP_FIN_WAIT_2: return "FIN-WAIT-2";
  case VTCP_CLOSE_WAIT: return "CLOSE-WAIT";
  case VTCP_CLOSING: return "CLOSING";
  case VTCP_LAST_ACK: return "LAST-ACK";
  case VTCP_TIME_WAIT: return "TIME-WAIT";
  default: return "?";
  }
}

/*@ assigns \result \from type;
    ensures named: \valid_read(\result + (0 .. 1));
*/
const char *vtcp_event_name(uint8_t type)
{
  switch (type) {
  case VTCP_OPEN_ACTIVE: return "OPEN active";
  case VTCP_OPEN_PASSIVE: return "OPEN passive";
  case VTCP_SEND: return "SEND";
  case VTCP_RECEIVE: return "RECEIVE";
  case VTCP_CLOSE: return "CLOSE";
  case VTCP_ABORT: return "ABORT";
  case VTCP_STATUS: return "STATUS";
  case VTCP_ARRIVES: return "SEGMENT ARRIVES";
  case VTCP_TIMEOUT: return "TIMEOUT";
  case VTCP_MORE: return "more to send";
  case VTCP_ICMP: return "ICMP";
  default: return "?";
  }
}

/*@ assigns \result \from error;
    ensures named: \valid_read(\result + (0 .. 1));
*/
const char *vtcp_error_name(uint8_t error)
{
  switch (error) {
  case VTCP_OK: return "ok";
  case VTCP_NO_CONNECTION: return "connection does not exist";
  case VTCP_ALREADY_EXISTS: return "connection already exists";
  case VTCP_REMOTE_UNSPECIFIED: return "remote socket unspecified";
  case VTCP_INSUFFICIENT_RESOURCES: return "insufficient resources";
  case VTCP_CONNECTION_CLOSING: return "connection closing";
  case VTCP_BAD_EVENT: return "no such event";
  default: return "?";
  }
}

/*@ assigns \result \from error;
    ensures named: \valid_read(\result + (0 .. 1));
*/
const char *vtcp_config_error_name(uint8_t error)
{
  switch (error) {
  case VTCP_CONFIG_OK: return "ok";
  case VTCP_CONFIG_RCV_BUF: return "rcv_buf is not within 1 .. 2^30 octets";
  case VTCP_CONFIG_SND_BUF: return "snd_buf is not within 1 .. 2^30 octets";
  case VTCP_CONFIG_RCV_MSS: return "rcv_mss is 0";
  case VTCP_CONFIG_SEND_MSS: return "default_mss is 0";
  case VTCP_CONFIG_MMS_S: return "mms_s is below 21 octets";
  case VTCP_CONFIG_RTO: return "not 1 ms <= rto_min <= rto_initial <= rto_max, or rto_max not within 60 s .. 4000 s";
  case VTCP_CONFIG_R1: return "r1 is below 3 retransmissions";
  case VTCP_CONFIG_R2: return "r2 is below 1 s";
  case VTCP_CONFIG_R2_SYN: return "r2_syn is below 3 minutes";
  case VTCP_CONFIG_MSL: return "msl is not within 1 ms .. 1 hour";
  case VTCP_CONFIG_CHALLENGE_ACKS: return "challenge_acks is 0";
  case VTCP_CONFIG_KEEP_ALIVE: return "keep_alive or keep_alive_probe is 0 ms, or keep_alive_probes is below 2";
  default: return "?";
  }
}
