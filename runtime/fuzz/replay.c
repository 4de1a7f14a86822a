/* Runs a harness on files, where no libFuzzer is at hand. */
#include <stdlib.h>

#include "fuzz.h"

int main(int argc, char **argv)
{
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            fprintf(stderr, "%s: cannot be opened\n", argv[i]);
            return 2;
        }
        uint8_t     *room = exactly(1 << 20);
        const size_t size = fread(room, 1, 1 << 20, file);
        uint8_t     *data = exactly(size);
        memcpy(data, room, size);
        fclose(file);
        LLVMFuzzerTestOneInput(data, size);
        free(data);
        free(room);
    }
    printf("replay       %d files\n", argc - 1);
    return argc > 1 ? 0 : 1;
}
