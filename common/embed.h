/* Files that are part of the binary.  EMBED(name, "db/views.sql") defines
 * `const char name[]`, the file's bytes with a zero after them; declare it with
 * `extern const char name[];`.  Paths are seen from the top of the tree, where
 * the compiler runs.  The Makefile knows which objects depend on which files. */
#ifndef COMMON_EMBED_H
#define COMMON_EMBED_H

#define EMBED(name, path)                        \
    __asm__(".pushsection .rodata\n"             \
            ".global " #name "\n"                \
            ".type " #name ", @object\n"         \
            ".balign 16\n" #name ":\n"           \
            ".incbin \"" path "\"\n"             \
            ".byte 0\n"                          \
            ".size " #name ", . - " #name "\n"   \
            ".popsection\n")

#endif
