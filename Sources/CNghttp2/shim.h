// Swift imports all of nghttp2 itself; only its version text is a macro of a macro.
#ifndef APUS_CNGHTTP2_H
#define APUS_CNGHTTP2_H

#include <malloc.h>
#include <nghttp2/nghttp2.h>

#endif
