/* Nettle serves only what GnuTLS's public interface lacks: the ciphers of old encrypted PEM keys. */
#ifndef CSSLNETTLE_SHIM_H
#define CSSLNETTLE_SHIM_H
#include <nettle/arctwo.h>
#include <nettle/des.h>
#include <nettle/cbc.h>
#include <nettle/md5.h>
#endif
