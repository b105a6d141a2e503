// What HTTP2 needs of C: nghttp2, and the allocator whose blocks know their size.
#ifndef APUS_CNGHTTP2_H
#define APUS_CNGHTTP2_H

#include <malloc.h>
#include <stdlib.h>

#include <nghttp2/nghttp2.h>

#endif
