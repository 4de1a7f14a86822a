# Library and firmware for each core of cores.txt, with their sizes: make cross; make cross/cortex-m4f for one.
# OPT=-Os compiles for size. A firmware that holds a heap, printf, libm or arithmetic on doubles fails.
#
# Part of ../Makefile.

OPT   ?= -O2
comma := ,
CROSSED := build/cross$(filter-out -O2,$(OPT))
row    = $(shell awk '$$1 == "$(1)" { $$1 = ""; print }' ports/$(2))
CORES := $(filter-out all link,$(shell awk '/^[a-z]/ { print $$1 }' ports/cores.txt))
CROSS := $(filter test cross cross/%,$(MAKECMDGOALS))

# What a firmware may hold besides the runtime: memory and single-precision functions of libc and libgcc. No heap, no
# printf, no libm, and nothing on doubles (the names with df).
MAY_HOLD := ^(shoal_.*|board_.*|main|start|reset|vectors|mem(cpy|move|set|cmp)|__clz_tab|__gnu_thumb1_case_[a-z]+|__[a-z]+([sd]i|sf)[234]?|$\
__aeabi_(c?f[a-z]+|[iul]+2f|f2u?[il]z|u?[il]div(mod|0)?|lmul|l[la]s[lr]|u?lcmp|mem[a-z]+[48]?))$$
MAY_NOT  := ^_.*df|alloc|printf

# $(1) core, $(2) compiler, $(3) its flags, $(4) row of ports/qemu/machines.txt
define CROSS_BUILD
$(CROSSED)/$(1)/%.o: FLAGS_HERE := $(filter-out -O2,$(wordlist 2,99,$(call row,all,cores.txt))) $(OPT) $(3) $(WARNINGS)
$(CROSSED)/$(1)/%.o: src/%.c $(HEADERS) $(PORT_HEADERS) | $(CROSSED)/$(1)
	@$(2) $$(FLAGS_HERE) -Iinclude -c $$< -o $$@
$(CROSSED)/$(1)/%.o: ports/serial/%.c $(HEADERS) $(PORT_HEADERS) | $(CROSSED)/$(1)
	@$(2) $$(FLAGS_HERE) -Iinclude -c $$< -o $$@
$(CROSSED)/$(1)/%.o: ports/qemu/%.c $(HEADERS) $(PORT_HEADERS) | $(CROSSED)/$(1)
	@$(2) $$(FLAGS_HERE) -Iinclude -Iports/serial -DUART=$(word 7,$(4)) -DCOUNTER=$(word 8,$(4)) \
	  '-DTITLE="$(1) on $(word 2,$(4))"' -c $$< -o $$@
$(CROSSED)/$(1)/libshoal.a: $(DEVICE:%=$(CROSSED)/$(1)/%.o)
	@rm -f $$@ && $(2:%gcc=%ar) rcs $$@ $$^
$(CROSSED)/$(1)/firmware.elf: ports/qemu/firmware.ld $(SERVER:%=$(CROSSED)/$(1)/%.o) \
    $(patsubst %,$(CROSSED)/$(1)/%.o,main start reset_$(if $(filter cortex%,$(1)),arm,riscv) $(word 4,$(4))) \
    $(CROSSED)/$(1)/libshoal.a
	@$(2) $(OPT) $(3) $(wordlist 2,99,$(call row,link,cores.txt)) -T $$^ -o $$@ \
	  $$(call place,flash,$(word 5,$(4))) $$(call place,ram,$(word 6,$(4))) \
	  -Wl,--defsym=stack_size=4K,--defsym=frames_size=4K,--defsym=memory_needed=0
$(CROSSED)/$(1):
	@mkdir -p $$@
.PHONY: cross/$(1)
cross/$(1): $(CROSSED)/$(1)/firmware.elf
	@$(2:%gcc=%nm) $$< | awk '$$$$2 ~ /^[TWVDBRC]$$$$/ && \
	  $$$$3 !~ /^(data|bss|stack|frames|memory|image)_|^__global_pointer/ { names++; \
	  if ($$$$3 !~ /$(subst $$,$$$$,$(MAY_HOLD))/ || $$$$3 ~ /$(MAY_NOT)/) { print "$(1) holds " $$$$3; bad = 1 } } \
	  END { exit bad || names < 20 }'
	@$(2:%gcc=%size) $$< | awk 'NR == 2 { printf "%-12s text %6d   data %4d   bss %6d\n", "$(1)", $$$$1, $$$$2, $$$$3 }'
endef

# 0x20000000+256K/4096K becomes the origin and the size that the linker script asks for
place = -Wl,--defsym=$(1)_at=$(word 1,$(subst +, ,$(2))),--defsym=$(1)_size=$(word 2,$(subst +, ,$(subst /, ,$(2))))

.PHONY: cross
test: cross
ifneq ($(CROSS),)
SERVER       := $(notdir $(basename $(wildcard ports/serial/*.c)))
PORT_HEADERS := $(wildcard ports/serial/*.h ports/qemu/*.h)
cross: $(foreach core,$(CORES),$(call skip,$(call have,$(call row,$(core),cores.txt)),cross/$(core), \
    no $(firstword $(call row,$(core),cores.txt)): the build for $(core)$(comma) see tools/toolchain.sh))
$(foreach core,$(CORES),$(eval $(call CROSS_BUILD,$(core),$(firstword $(call row,$(core),cores.txt)),$(wordlist \
    2,99,$(call row,$(core),cores.txt)),$(call row,$(core),qemu/machines.txt))))
endif

.PHONY: lint/ports
lint: lint/ports
lint/ports:
	@for f in ports/serial/*.c ports/host/*.c; do \
	  $(if $(HAVE_GCC),$(GCC) $(FLAGS) $(LINT_GCC) -O2 -Iports/serial -c $$f -o /dev/null || exit 1;) \
	  $(if $(HAVE_CLANG),$(CLANG) $(FLAGS) $(LINT_CLANG) -O2 -Iports/serial -c $$f -o /dev/null || exit 1;) done
	@echo "lint: ports, no warning"

