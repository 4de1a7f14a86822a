/* A network in flash: the file image.shoal in a folder that the assembler searches. */
    .section .image, "a"
    .balign 8
    .incbin "image.shoal"
