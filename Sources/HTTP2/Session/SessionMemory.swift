import CNghttp2

/// Counts the bytes that nghttp2 allocates for one session, by the block sizes that the allocator reports.
///
/// Shape: a counter that outlives the nghttp2 session, which copies the table of functions.
@safe final class SessionMemory {
    private let counter: UnsafeMutablePointer<Int>

    init() {
        unsafe counter = .allocate(capacity: 1)
        unsafe counter.initialize(to: 0)
    }

    deinit { unsafe counter.deallocate() }

    /// Bytes held now.
    var byteCount: Int { unsafe counter.pointee }

    /// The allocation functions for a new nghttp2 session.
    @unsafe var functions: nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: counter,
            malloc: { size, counter in unsafe SessionMemory.count(malloc(size), counter) },
            free: { block, counter in
                guard let block = unsafe block, let counter = unsafe counter else { return }
                unsafe counter.assumingMemoryBound(to: Int.self).pointee -= malloc_usable_size(block)
                unsafe free(block)
            },
            calloc: { count, size, counter in unsafe SessionMemory.count(calloc(count, size), counter) },
            realloc: { block, size, counter in
                let before = unsafe malloc_usable_size(block)
                guard let moved = unsafe realloc(block, size) else { return nil }
                unsafe counter?.assumingMemoryBound(to: Int.self).pointee -= before
                return unsafe SessionMemory.count(moved, counter)
            })
    }

    private static func count(
        _ block: UnsafeMutableRawPointer?, _ counter: UnsafeMutableRawPointer?
    ) -> UnsafeMutableRawPointer? {
        if let block = unsafe block {
            unsafe counter?.assumingMemoryBound(to: Int.self).pointee += malloc_usable_size(block)
        }
        return unsafe block
    }
}
