# make          build/tuner and build/trainer
# make demo     everything from nothing to a report on MNIST
# make test     everything that can be tested; one line "N passed, M failed"
# make test T=space   one suite alone
# make asan | ubsan-free | tsan | valgrind   the tests under a sanitizer
# make deps     installs what is missing (apt), or says what to install

CC ?= gcc
BUILD ?= build
PACKAGES := yaml-0.1 sqlite3 openblas jansson zlib libpng
WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
OPTIMIZE ?= -O2 -g
SANITIZE ?=

CPPFLAGS += -I. -D_GNU_SOURCE $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null) $(DEFINES)
CFLAGS += -std=c11 -pthread -fno-math-errno -ffp-contract=off $(OPTIMIZE) $(WARNINGS) $(SANITIZE)
LDFLAGS += -pthread $(SANITIZE)
LDLIBS += $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

mains := tuner/main.c trainer/main.c
sources := $(filter-out $(mains),$(wildcard common/*.c tuner/*.c trainer/*.c db/*.c reports/*.c))
tests := $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))

.PHONY: all demo test asan tsan valgrind bench deps install clean
all: $(BUILD)/tuner $(BUILD)/trainer

$(BUILD)/tuner: $(BUILD)/tuner/main.o $(BUILD)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)
