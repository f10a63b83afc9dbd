# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# make bench: ptap against the other taps, on a kernel made for it.
#
#   make bench                      everything, about an hour
#   make bench BENCH=quick          what the targets need, five minutes
#   make bench BENCH_ONLY=rx60,...  some workloads (tests/bench/plan.py)
#   make bench BENCH_ONLY=rx60 BENCH_PROFILE=ptap-release  where the time goes,
#                                   of the reader with BENCH_CPU=1
#   make bench BENCH_ONLY=rx60 BENCH_VARIANTS="same no-clock"  what a part of the
#                                   module costs (tests/bench/variants)
#   make bench-loop                 what the library adds to write(), no kernel
#
# Results: build/bench/results.json, a table, plots. The first time builds a
# kernel (ten minutes), cached outside of the checkout.

BENCH_BIN := $(B)/bench/um/bin

BENCH_PLAIN := v3reader capcheck tcpblast latency middleman

$(addprefix $(BENCH_BIN)/,$(BENCH_PLAIN)): $(BENCH_BIN)/%: tests/bench/%.c
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(BASE_FLAGS) $(CFLAGS) -pthread -MF $@.d -o $@ $< $(BENCH_LIBS)

$(BENCH_BIN)/middleman: BENCH_LIBS := -lnetfilter_queue

$(BENCH_BIN)/ptapreader: tests/bench/ptapreader.c $(B)/libptap.a
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(BASE_FLAGS) $(PTAP_INCLUDES) $(CFLAGS) -MF $@.d -o $@ $< \
		$(B)/libptap.a -lpcap

$(BENCH_BIN)/ringloop: tests/bench/ringloop.c $(B)/libptap.a
	@mkdir -p $(@D)
	@printf "  %-7s %s\n" LD $@
	$(Q)$(CC) $(BASE_FLAGS) $(PTAP_INCLUDES) $(CFLAGS) -MF $@.d -o $@ $< \
		$(B)/libptap.a -lpcap

$(BENCH_BIN)/tapdump: $(B)/tapdump
	@mkdir -p $(@D)
	$(Q)cp $< $@

.PHONY: bench bench-deps bench-programs bench-loop
bench-deps:
	@scripts/install-deps.sh --bench

bench-programs: $(addprefix $(BENCH_BIN)/,$(BENCH_PLAIN) ptapreader tapdump)

bench: bench-deps bench-programs
	@BENCH='$(BENCH)' BENCH_ONLY='$(BENCH_ONLY)' \
		BENCH_PROFILE='$(BENCH_PROFILE)' BENCH_CPU='$(BENCH_CPU)' \
		BENCH_VARIANTS='$(BENCH_VARIANTS)' BENCH_REPS='$(BENCH_REPS)' scripts/bench.sh

bench-loop: $(BENCH_BIN)/ringloop
	@for args in '' '-f pcapng' '-s 1514' '-a 24'; do \
		echo "ringloop $$args"; $< $$args /dev/shm/ptap-ringloop; \
	done
