# make             build/tuner and build/trainer; V=1 shows the compiler's commands whole
# make demo        from nothing to a report on MNIST, with what is missing installed
# make test        every test; ends in one line "N passed, M failed"
# make test T=space          one suite alone, by its name
# make torture     the tuner and the daemon under thousands of faults; TORTURE_MINUTES=10
# make asan, make tsan       the tests under address+undefined, thread sanitizer
# make fuzz T=study SECONDS=600  looks for bytes that break a reader of files or lines, or each
#                  in turn; ./deps.sh --fuzz.  make fuzz-coverage: how much of them it reached
# make bench       how fast this machine trains, beside its sgemm
# make bench-scale how many trials a second the tuner itself does, beside Optuna
# make bench-peers the same of PyTorch and Keras, which it installs; 7 GB, see bench/README.md
# make emulated    the trainer's tests on x86-64 without AVX and without AVX-512, under qemu
# make aarch64     cross-compiles for aarch64, and the same tests there; ./deps.sh --emulated
# make valgrind    the tuner's own tests under valgrind
# make deps        installs what is missing (apt), or says what to install
# make install     programs, manual, completion, docs to $(DESTDIR)$(PREFIX), and the daemon's
#                  unit for systemd; make uninstall removes them
# make deb         a Debian package

BUILD ?= build
PREFIX ?= /usr/local
PACKAGES := yaml-0.1 sqlite3 openblas jansson zlib libpng
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
OPTIMIZE ?= -O2 -g
SANITIZE ?=
DEFINES ?=

# Contraction to fused multiply-adds is off so that a result does not depend on
# which of the compiler's paths a loop took.  Nobody asks for the errno of a root, which
# would keep loops that take roots from being done in vectors.
CPPFLAGS += -I. -D_GNU_SOURCE $(DEFINES) $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
CFLAGS += -std=c11 -pthread -ffp-contract=off -fno-math-errno $(OPTIMIZE) $(WARNINGS) $(SANITIZE)
# Only libraries that a program calls: OpenBLAS starts threads when it is loaded, and those
# would take the signals that the tuner waits for.
LDFLAGS += -pthread -Wl,--as-needed $(SANITIZE)
LDLIBS += $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

sources := $(filter-out %/main.c,$(wildcard common/*.c tuner/*.c trainer/*.c db/*.c reports/*.c))
suites := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
helpers := report_driver scoring_driver logits_driver fake_trainer quick_trainer
shims := fault_shim memory_shim blas_shim fma_shim
fuzzed := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: all demo test build-tests run-tests torture asan tsan emulated aarch64 valgrind bench \
    bench-scale bench-peers fuzz fuzz-programs fuzz-coverage fuzz-minimise deps install uninstall \
    deb clean
.SECONDARY:
.DELETE_ON_ERROR:
all: $(BUILD)/tuner $(BUILD)/trainer

# A line of a few words for each file, unless V=1 asks for the commands.
Q := $(if $(filter 1,$(V)),,@)
say = $(if $Q,@echo '$1 $2')
# Targets that build from nothing do so with every processor, unless -j was given.
jobs = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# ---- compiling: objects in $(BUILD)/obj, programs in $(BUILD) ----

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The loops over pixels, weights and random numbers are worth more than -O2.
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard trainer/*.c) common/rng.c): OPTIMIZE += $(FAST)
FAST := -O3

# Which of two branches is taken must not be seen in the processor's flags, for then both may be
# worked out side by side.
$(BUILD)/obj/trainer/activation.o: CFLAGS += -fno-trapping-math

# Kernels for one instruction set each (trainer/conv_blocks.h, winograd_blocks.h), which run only
# where the processor has it; they fix their order of summation themselves, so fusing is theirs to
# use.
vector_kernels := $(foreach isa,avx2 avx512 neon,conv_$(isa).o winograd_$(isa).o)
$(vector_kernels:%=$(BUILD)/obj/trainer/%): CFLAGS += -ffp-contract=fast
ifneq ($(findstring x86_64,$(shell $(CC) -dumpmachine)),)
$(patsubst %,$(BUILD)/obj/trainer/%_avx2.o,conv winograd): CFLAGS += -mavx2 -mfma
$(patsubst %,$(BUILD)/obj/trainer/%_avx512.o,conv winograd): CFLAGS += -mavx512f \
    -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512
$(patsubst %,$(BUILD)/obj/trainer/bf16_%.o,pack layers norm dots tiles): CFLAGS += -mavx512f -mavx512dq \
    -mavx512bw -mavx512vl -mavx512bf16 -mfma -mprefer-vector-width=512
$(BUILD)/obj/trainer/bf16_tiles.o: CFLAGS += -mamx-tile -mamx-bf16
endif

$(BUILD)/obj/project.a: $(sources:%.c=$(BUILD)/obj/%.o)
	@rm -f $@
	$(call say,AR,$@)
	$Q$(AR) rcs $@ $^

$(BUILD)/tuner $(BUILD)/trainer: $(BUILD)/%: $(BUILD)/obj/%/main.o $(BUILD)/obj/project.a
	$(call say,LD,$@)
	$Q$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $(BUILD)/obj/project.a
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# Libraries that tests load below a program (tests/*_shim.c), never with a sanitizer.
$(BUILD)/tests/%.so: tests/%.c
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARNINGS) -shared -fPIC -o $@ $< -ldl

# Fuzzing targets (tests/fuzz/fuzz.h): one program tries files, the other looks for them.
fuzz_objects = $(patsubst %,$(BUILD)/obj/tests/fuzz/%.o,fuzz_$* fuzz) $(BUILD)/obj/project.a
.SECONDEXPANSION:
$(BUILD)/tests/fuzz_%: $(BUILD)/obj/tests/fuzz/run_files.o $$(fuzz_objects)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$Q$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/fuzz_%: $$(fuzz_objects)
	$(call say,LD,$@)
	$Q$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

# Files that become part of an object (common/embed.h).
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard db/*.c)): $(wildcard db/*.sql db/*/*.sql)
$(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard reports/*.c)): $(wildcard reports/web/*)
$(BUILD)/obj/common/completion.o: common/completion.bash common/completion.zsh
$(BUILD)/obj/trainer/bench_rows.o: trainer/bench_networks.json
$(BUILD)/obj/trainer/export_c_calls.o: $(wildcard trainer/inference/*)

-include $(wildcard $(BUILD)/obj/*/*.d $(BUILD)/obj/*/*/*.d)

# ---- what is needed ----

deps:
	@./deps.sh

# A build says what is missing, once and in words, rather than failing on a header.
$(sources:%.c=$(BUILD)/obj/%.o): | $(BUILD)/deps-found
$(BUILD)/deps-found: deps.sh
	@mkdir -p $(@D)
	@./deps.sh --check
	@touch $@

# ---- running ----

demo: deps
	@$(MAKE) $(jobs) --no-print-directory all
	@./demo.sh $(BUILD)

test: deps
	@$(MAKE) $(jobs) --no-print-directory run-tests

build-tests: all $(suites:%=$(BUILD)/tests/%) $(helpers:%=$(BUILD)/tests/%) \
    $(shims:%=$(BUILD)/tests/%.so) $(fuzzed:%=$(BUILD)/tests/fuzz_%)

# The programs under test have failpoints; the ones that users run have not.
run-tests: all
	@$(MAKE) $(jobs) --no-print-directory BUILD=$(BUILD)/test DEFINES=-DFAILPOINTS build-tests
	@tests/run.sh $(BUILD)/test $(T)

# Faults by the thousand; prints the table of docs/reliability.md.
torture: all
	@$(MAKE) $(jobs) --no-print-directory BUILD=$(BUILD)/test DEFINES=-DFAILPOINTS build-tests
	@tests/torture.py $(BUILD)/test $(T)

asan: deps
	@$(MAKE) $(jobs) --no-print-directory BUILD=build/asan OPTIMIZE="-O1 -g" FAST= \
	    DEFINES=-DFAILPOINTS SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" \
	    build-tests
	@TEST_PATIENCE=$${TEST_PATIENCE:-6} tests/run.sh build/asan $(T)

tsan: deps
	@$(MAKE) $(jobs) --no-print-directory BUILD=build/tsan OPTIMIZE="-O1 -g" FAST= \
	    DEFINES=-DFAILPOINTS SANITIZE="-fsanitize=thread" build-tests
	@TEST_PATIENCE=$${TEST_PATIENCE:-12} tests/run.sh build/tsan $(T)

emulated:
	@$(MAKE) $(jobs) --no-print-directory BUILD=$(BUILD)/test DEFINES=-DFAILPOINTS build-tests
	@tests/emulated.sh $(BUILD)/test Nehalem Haswell

aarch64:
	@tests/aarch64.sh build/aarch64

valgrind: run-tests
	@tests/valgrind.sh $(BUILD)/test

# clang's, whatever CC is; what was reached is counted as it looks.
FUZZ_CC ?= clang
FUZZ_SANITIZE := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
    -fprofile-instr-generate -fcoverage-mapping
fuzz-programs:
	@$(MAKE) $(jobs) --no-print-directory BUILD=build/fuzz CC="$(FUZZ_CC)" OPTIMIZE="-O1 -g" FAST= \
	    SANITIZE="$(FUZZ_SANITIZE)" build/fuzz/trainer $(fuzzed:%=build/fuzz/fuzz_%)

fuzz: fuzz-programs
	@/usr/bin/python3 tests/fuzz/fuzz.py run $(or $(SECONDS),600) $(T)

fuzz-coverage: fuzz-programs
	@/usr/bin/python3 tests/fuzz/fuzz.py coverage $(T)

fuzz-minimise: fuzz-programs
	@/usr/bin/python3 tests/fuzz/fuzz.py minimise $(T)

bench: all
	@$(BUILD)/trainer bench

bench-scale: all $(BUILD)/tests/fake_trainer
	@/usr/bin/python3 bench/scale.py $(BUILD)

bench-peers: all build/peers/installed
	@bench/peers.py $(PEERS)

build/peers/installed: bench/requirements.txt
	python3 -m venv build/peers/venv
	build/peers/venv/bin/pip install --quiet -r bench/requirements.txt
	@touch $@

# ---- installing: what the programs say of themselves in $(BUILD)/share ----

share := $(addprefix $(BUILD)/share/,tuner.1 trainer.1 bash/tuner bash/trainer zsh/_tuner \
    zsh/_trainer tuner.service)

$(BUILD)/share/%.1: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$Q$< help --man >$@
$(BUILD)/share/bash/%: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$Q$< help --completion bash >$@
$(BUILD)/share/zsh/_%: $(BUILD)/%
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$Q$< help --completion zsh >$@
# The prefix may be another one each time.
.PHONY: $(BUILD)/share/tuner.service
$(BUILD)/share/tuner.service: tuner/tuner.service
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$Qsed 's|/usr/local|$(PREFIX)|' $< >$@

install: all $(share)
	$(call say,INSTALL,$(DESTDIR)$(PREFIX))
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install.sh install $(BUILD)

uninstall:
	$(call say,UNINSTALL,$(DESTDIR)$(PREFIX))
	@DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install.sh uninstall $(BUILD)

deb: PREFIX := /usr
deb: all $(share)
	@packaging/deb.sh $(BUILD)

clean:
	rm -rf $(BUILD)
