# vtcp: `make help` lists the targets. B is the folder of a build; a second build has its own: make B=build/clang CC=clang.
CC = gcc
CFLAGS = -O2 -g
WARNINGS = -std=c11 -Wall -Wextra -Wconversion -Wshadow -pedantic
B = build

CORE = $(B)/src/vtcp.o $(B)/src/wire.o $(B)/src/isn.o
DRIVER = $(patsubst %.c,$(B)/%.o,$(wildcard src/driver/*.c))
TESTS = $(patsubst %.c,$(B)/%,$(wildcard tests/test_*.c))
HELPERS = $(patsubst %.c,$(B)/%.o,$(filter-out $(wildcard tests/test_*.c),$(wildcard tests/*.c)))
CAPTURES = tests/captures

all: $(B)/vtcp ## build/vtcp, the program
core: $(CORE) ## the core, the codec and the ISN helper only, as objects

demo: ## install what building needs, build, and replay captures that tell the story
	@tools/setup build
	@$(MAKE) --no-print-directory -s all
	@tools/demo $(B)/vtcp

pictures: ## install what drawing needs, and draw README's pictures anew
	@tools/setup pictures
	@$(MAKE) --no-print-directory -s all
	@tools/pictures $(B)/vtcp pictures

check: ## install what checking needs, and run every check but the proof
	@tools/setup check
	@tools/check

tests: $(TESTS) ## the test programs
test: tests all ## run the tests and replay the captures
	@set -e; for t in $(TESTS); do ./$$t; done
	tests/replay.sh $(B)/vtcp
	tests/scripts.sh $(B)/vtcp
	tests/pictures.py $(B)/vtcp
	tests/explore.sh $(B)/vtcp
	tests/spin.sh $(B)/vtcp

prove: ## the whole proof, from scratch [F=function] [C=clause] [CACHE=1] [UPDATE=1]
	@tools/setup prove
	@proofs/prove $(if $(F),-f $(F)) $(if $(C),-c $(C)) $(if $(CACHE),--cache) $(if $(UPDATE),--update)

prove-smoke: ## contradictory preconditions and dead code [F=function]
	@tools/setup prove
	@proofs/prove --smoke $(if $(F),-f $(F))

prove-mutants: ## every law must lose its proof in a mutant made against it [M=mutant]
	@tools/setup prove
	@proofs/mutants/run $(M)

museum: ## put bugs that others had into the core: who notices? [M=entry or mutant] [ALL=1]
	@tools/setup museum
	@tools/museum $(if $(ALL),--all) $(M)

museum-generic: ## the same with generic mutants [N=how many] [SEED=1] [EACH=1]
	@tools/setup museum
	@tools/museum --generic $(or $(N),300) --seed $(or $(SEED),1) $(if $(EACH),--each)

fuzz: ## AFL++ on one target [TARGET=step|wire|pair|shift|embedding|replay|script|world] [TIME=seconds] [JOBS=processes]
	@tools/setup fuzz
	@tools/fuzz afl $(or $(TARGET),step) $(or $(TIME),60)

fuzz-libfuzzer: ## the same in process, with ASan and UBSan
	@tools/setup check
	@tools/fuzz libfuzzer $(or $(TARGET),step) $(or $(TIME),60)

eacsl: ## run the tests with the contracts compiled in (E-ACSL)
	@tools/setup check
	@tools/eacsl

dist: ## build/dist/vtcp.h and vtcp.c: the two-file embedding
	@tools/dist build/dist

size: dist ## code and record sizes: this machine and Cortex-M4
	@tools/size build/dist

instructions: dist ## instructions that a step takes (callgrind)
	@tools/setup instructions
	@tools/instructions build/dist

explore-table: all ## what `vtcp explore` sees in its worlds: the table of docs/explore.md
	@tools/explore-table $(B)/vtcp

requirements: ## the ledger of RFC 9293's requirements against contracts and tests
	@tools/requirements

format: ## lay out the C text
	clang-format -i $(FORMATTED)

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

# Tests are laid out by hand, as tables.
FORMATTED = $(wildcard include/*.h src/*.h src/*.c src/driver/*.h src/driver/*.c fuzz/*.h fuzz/*.c)
formatted:
	@clang-format --dry-run -Werror $(FORMATTED)

# Options in the order of $(B)/%.o; the core needs no library and no feature macro.
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(WARNINGS) $(CFLAGS) -Iinclude -I$(B)/spec -MMD -MP -c $< -o $@

# The state diagram is drawn from the specification's own text.
$(B)/src/driver/command_diagram.o: $(B)/spec/diagram.h
$(B)/spec/diagram.h: spec/laws.acsl tools/diagram
	@tools/diagram $@

$(B)/vtcp: $(CORE) $(DRIVER)
	$(CC) $(CFLAGS) $^ -lpcap -lm $(LIBS) -o $@

$(B)/tests/libhelpers.a: $(HELPERS)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/tests/test_%: $(B)/tests/test_%.o $(CORE) $(B)/tests/libhelpers.a
	$(CC) $(CFLAGS) $^ -lcmocka $(LIBS) -o $@

-include $(shell [ ! -d $(B) ] || find $(B) -name '*.d')

.PHONY: all core demo pictures check tests test prove prove-smoke prove-mutants museum museum-generic fuzz fuzz-libfuzzer \
  eacsl dist size instructions explore-table requirements format formatted clean help
.SECONDARY:
.DELETE_ON_ERROR:
