/* From a captured packet to a TCP segment: link layer, VLAN tags, IPv4, IPv6 and its extension headers.
 * `have` octets were captured of `length`; nothing beyond `have` is read. SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE
#include "driver.h"

#include <pcap/pcap.h>
#include <string.h>

#ifndef DLT_LINUX_SLL2
#define DLT_LINUX_SLL2 276
#endif

enum { ETHERTYPE_V4 = 0x0800, ETHERTYPE_V6 = 0x86dd, TAG_8021Q = 0x8100, TAG_8021AD = 0x88a8, TAG_QINQ = 0x9100 };
enum { ETHERTYPE_MPLS = 0x8847, ETHERTYPE_PPPOE = 0x8864, PPP_V4 = 0x0021, PPP_V6 = 0x0057 };
enum {
  PROTOCOL_V4 = 4,
  PROTOCOL_TCP = 6,
  PROTOCOL_UDP = 17,
  PROTOCOL_V6 = 41,
  PROTOCOL_FRAGMENT = 44,
  PROTOCOL_GRE = 47
};
enum { PROTOCOL_ESP = 50, PROTOCOL_AH = 51, PROTOCOL_L2TP = 115, DEEPEST = 4 };

/* What is left of a packet. */
struct view {
  const uint8_t *at;
  uint32_t have, length;
};

static uint32_t word(const uint8_t *at)
{
  return (uint32_t)(at[0] << 8 | at[1]);
}

static bool skip(struct view *view, uint32_t octets)
{
  if (view->have < octets || view->length < octets)
    return false;
  view->at += octets;
  view->have -= octets;
  view->length -= octets;
  return true;
}

static void limit(struct view *view, uint32_t length)
{
  if (view->length > length)
    view->length = length;
  if (view->have > length)
    view->have = length;
}

static uint32_t sum_words(const uint8_t *at, uint32_t octets)
{
  uint32_t sum = 0;
  for (uint32_t i = 0; i + 1 < octets; i += 2)
    sum += word(at + i);
  return sum;
}

static bool found_tcp(struct view rest, struct frame *frame)
{
  uint32_t size = frame->source.version == 4 ? 4 : 16;
  frame->octets = rest.at;
  frame->have = rest.have;
  frame->length = rest.length;
  frame->pseudo = sum_words(frame->source.address, size) + sum_words(frame->destination.address, size) + PROTOCOL_TCP
                  + (rest.length >> 16) + (rest.length & 0xffff);
  if (rest.have < 4)
    return true;
  frame->source.port = (uint16_t)word(rest.at);
  frame->destination.port = (uint16_t)word(rest.at + 2);
  return true;
}

static bool decode_ip(struct view view, struct frame *frame, struct report *report);
static bool decode_ethertype(struct view view, uint32_t type, struct frame *frame, struct report *report);

/* UDP ports of VXLAN (two), Geneve, GTP-U, Teredo and L2TP. */
static bool is_tunnel_port(uint32_t port)
{
  return port == 4789 || port == 8472 || port == 6081 || port == 2152 || port == 3544 || port == 1701;
}

/* GRE (RFC 2784, RFC 2890): version 0, without routing. */
static bool decode_gre(struct view view, struct frame *frame, struct report *report)
{
  if (view.have < 4)
    return report->headless++, false;
  uint32_t flags = word(view.at), type = word(view.at + 2);
  uint32_t octets = 4 + 4 * ((flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1));
  if ((flags & 0x4007) != 0 || (type != ETHERTYPE_V4 && type != ETHERTYPE_V6))
    return report->tunnels++, false;
  return skip(&view, octets) ? decode_ethertype(view, type, frame, report) : (report->headless++, false);
}

/* What IP carries, where that is not TCP: IP again (RFC 2003, RFC 4213), GRE, or what is counted and not followed. */
static bool decode_payload(struct view view, uint32_t protocol, struct frame *frame, struct report *report)
{
  bool tunnel = protocol == PROTOCOL_V4 || protocol == PROTOCOL_V6 || protocol == PROTOCOL_GRE;
  if (protocol == PROTOCOL_ESP)
    return report->encrypted++, false;
  if (protocol == PROTOCOL_L2TP || (tunnel && ++frame->depth > DEEPEST))
    return report->tunnels++, false;
  if (protocol == PROTOCOL_UDP && view.have >= 4
      && (is_tunnel_port(word(view.at)) || is_tunnel_port(word(view.at + 2))))
    return report->tunnels++, false;
  if (!tunnel)
    return report->not_tcp++, false;
  return protocol == PROTOCOL_GRE ? decode_gre(view, frame, report) : decode_ip(view, frame, report);
}

static bool decode_v4(struct view view, struct frame *frame, struct report *report)
{
  if (view.have < 20)
    return report->malformed++, false;
  const uint8_t *ip = view.at;
  uint32_t header = (uint32_t)(ip[0] & 15) * 4, total = word(ip + 2);
  if (total == 0)
    total = view.length; /* segmentation offload: IP's length is not filled in */
  if (ip[0] >> 4 != 4 || header < 20 || total < header)
    return report->malformed++, false;
  bool fragment = (word(ip + 6) & 0x3fff) != 0;
  if (fragment)
    return ip[9] == PROTOCOL_TCP ? report->fragments++ : report->not_tcp++, false;
  memset(&frame->source, 0, sizeof frame->source);
  memset(&frame->destination, 0, sizeof frame->destination);
  frame->source.version = frame->destination.version = 4;
  memcpy(frame->source.address, ip + 12, 4);
  memcpy(frame->destination.address, ip + 16, 4);
  frame->ip_id = (uint16_t)word(ip + 4);
  frame->ttl = ip[8];
  limit(&view, total);
  if (!skip(&view, header))
    return report->headless++, false;
  return ip[9] == PROTOCOL_TCP ? found_tcp(view, frame) : decode_payload(view, ip[9], frame, report);
}

/* Extension headers (RFC 8200, section 4): hop-by-hop, routing, destination, mobility, HIP and shim6 share one form. */
static bool is_extension(uint32_t next)
{
  return next == 0 || next == 43 || next == 60 || next == 135 || next == 139 || next == 140;
}

static uint32_t extension_octets(uint32_t kind, const uint8_t *at)
{
  if (kind == PROTOCOL_FRAGMENT)
    return 8;
  return kind == PROTOCOL_AH ? ((uint32_t)at[1] + 2) * 4 : ((uint32_t)at[1] + 1) * 8;
}

static bool decode_v6(struct view view, struct frame *frame, struct report *report)
{
  if (view.have < 40 || view.at[0] >> 4 != 6)
    return report->malformed++, false;
  uint32_t next = view.at[6], payload = word(view.at + 4);
  frame->source.version = frame->destination.version = 6;
  memcpy(frame->source.address, view.at + 8, 16);
  memcpy(frame->destination.address, view.at + 24, 16);
  frame->ip_id = 0;
  frame->ttl = view.at[7];
  if (payload != 0)
    limit(&view, 40 + payload);
  (void)skip(&view, 40);
  while (is_extension(next) || next == PROTOCOL_AH || next == PROTOCOL_FRAGMENT) {
    if (view.have < 8)
      return report->headless++, false;
    uint32_t octets = extension_octets(next, view.at);
    bool fragment = next == PROTOCOL_FRAGMENT && (word(view.at + 2) & 0xfff9) != 0; /* not an atomic one (RFC 6946) */
    next = view.at[0];
    if (fragment)
      return next == PROTOCOL_TCP ? report->fragments++ : report->not_tcp++, false;
    if (!skip(&view, octets))
      return report->headless++, false;
  }
  return next == PROTOCOL_TCP ? found_tcp(view, frame) : decode_payload(view, next, frame, report);
}

static bool decode_ip(struct view view, struct frame *frame, struct report *report)
{
  if (view.have < 1)
    return report->malformed++, false;
  if (view.at[0] >> 4 == 4)
    return decode_v4(view, frame, report);
  if (view.at[0] >> 4 == 6)
    return decode_v6(view, frame, report);
  return report->not_tcp++, false;
}

static bool decode_ethertype(struct view view, uint32_t type, struct frame *frame, struct report *report)
{
  while (type == TAG_8021Q || type == TAG_8021AD || type == TAG_QINQ) {
    if (view.have < 4)
      return report->malformed++, false;
    type = word(view.at + 2);
    if (!skip(&view, 4))
      return report->malformed++, false;
  }
  if (type == ETHERTYPE_MPLS) {
    bool last = false;
    while (!last) {
      last = view.have >= 4 && (view.at[2] & 1) != 0;
      if (!skip(&view, 4))
        return report->malformed++, false;
    }
    return decode_ip(view, frame, report);
  }
  if (type == ETHERTYPE_PPPOE) {
    uint32_t ppp = view.have >= 8 ? word(view.at + 6) : 0;
    if (!skip(&view, 8) || (ppp != PPP_V4 && ppp != PPP_V6))
      return report->not_tcp++, false;
    return decode_ip(view, frame, report);
  }
  if (type == ETHERTYPE_V4)
    return decode_v4(view, frame, report);
  if (type == ETHERTYPE_V6)
    return decode_v6(view, frame, report);
  return report->not_tcp++, false;
}

/* `type_at`: where the EtherType lies in a link header of `header` octets. */
static bool decode_link(struct view view, uint32_t type_at, uint32_t header, struct frame *frame, struct report *report)
{
  if (view.have < header)
    return report->malformed++, false;
  uint32_t type = word(view.at + type_at);
  if (!skip(&view, header))
    return report->malformed++, false;
  return decode_ethertype(view, type, frame, report);
}

static bool decode_loopback(struct view view, struct frame *frame, struct report *report)
{
  /* The family's value and its byte order are those of the capturing host: the IP version speaks for itself. */
  if (!skip(&view, 4))
    return report->malformed++, false;
  return decode_ip(view, frame, report);
}

bool link_supported(int link)
{
  switch (link) {
  case DLT_EN10MB:
  case DLT_LINUX_SLL:
  case DLT_LINUX_SLL2:
  case DLT_NULL:
  case DLT_LOOP:
  case DLT_RAW:
  case DLT_IPV4:
  case DLT_IPV6: return true;
  default: return false;
  }
}

bool link_decode(int link, const uint8_t *octets, uint32_t have, uint32_t length, struct frame *frame,
                 struct report *report)
{
  struct view view = {octets, have, length > have ? length : have};
  switch (link) {
  case DLT_EN10MB: return decode_link(view, 12, 14, frame, report);
  case DLT_LINUX_SLL: return decode_link(view, 14, 16, frame, report);
  case DLT_LINUX_SLL2: return decode_link(view, 0, 20, frame, report);
  case DLT_NULL:
  case DLT_LOOP: return decode_loopback(view, frame, report);
  default: return decode_ip(view, frame, report);
  }
}
