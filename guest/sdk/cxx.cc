/* cxx.cc - what C++ without exceptions needs from a library: new, delete, pure virtual calls */
/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdlib.h>

/* Without exceptions `new` has no way to say no, so it ends the run. */
void *operator new(size_t size)
{
    void *memory = malloc(size != 0 ? size : 1);
    if (memory == nullptr) {
        abort();
    }
    return memory;
}

void *operator new[](size_t size)
{
    return operator new(size);
}

void operator delete(void *memory) noexcept
{
    free(memory);
}

void operator delete[](void *memory) noexcept
{
    free(memory);
}

void operator delete(void *memory, size_t) noexcept
{
    free(memory);
}

void operator delete[](void *memory, size_t) noexcept
{
    free(memory);
}

extern "C" void __cxa_pure_virtual()
{
    abort();
}
