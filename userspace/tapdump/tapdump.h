/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * tapdump.h - what the parts of tapdump know of each other.
 *
 * tapdump is tcpdump's command line on libptap.  options.c reads it, ifaces.c
 * knows the interfaces, output.c puts packets where they are wanted: into the
 * files of rotate.c, whose account sums.c adds and behind which command.c runs
 * a command, and to the tcpdump of print.c, which prints.  A file is file.c's,
 * compressed compress.c's, its name names.c's, what is complete set.c's;
 * guard.c and parts.c mend what was left off (repair.c, frames.c).  capture.c
 * moves packets, signals.c notes what the user wants meanwhile, report.c says
 * what was captured, meters.c how it goes.  meta.c reads --meta, criteria.c
 * what ends files.  privileges.c becomes another user, confine.c and landlock.c
 * give up what is not needed; lists.c, program.c, sessions.c and verify.c
 * (blocks.c, unpack.c) answer questions without a capture, offline.c leaves
 * capture files to tcpdump.  main.c is the order of these.
 *
 * Single-threaded.  Functions that can fail print one sentence and return -1,
 * or end the program through die(); the exit status is 1 then.
 */
#ifndef TAPDUMP_H
#define TAPDUMP_H

#include <ptap.h>
#include <stdbool.h>
#include <stdint.h>
#include <linux/limits.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include "compress.h"
#include "guard.h"

/**
 * struct limits - where a file ends (--ring-buffer), or all (--autostop)
 * @bytes: bytes, with one record more
 * @packets: packets
 * @seconds: seconds since it began
 * @interval: seconds; at their multiples by the clock
 * @files: files; in a ring those that are kept
 * @total: bytes of all that are kept
 * @percent: how full the disk may be
 *
 * 0: no limit.
 */
struct limits {
	uint64_t bytes;
	uint64_t packets;
	uint32_t seconds;
	uint32_t interval;
	uint32_t files;
	uint64_t total;
	uint32_t percent;
};

/* --on-full */
enum on_full {
	FULL_STOP,		/* end the capture */
	FULL_WAIT,		/* until there is room */
	FULL_RING,		/* remove the oldest file */
};

/**
 * struct options - the command line
 * @ifaces: -i; names after ifaces_resolve()
 * @nr_ifaces: their number, 0 with @any
 * @any: all interfaces; set by ifaces_resolve()
 * @list: -D
 * @list_sessions: --list-sessions
 * @list_linktypes: -L
 * @list_stamps: -J
 * @dump: number of -d
 * @no_optimize: -O
 * @verify: --verify
 * @words: the command line behind the options
 * @offline: -r or -V: tcpdump's work
 * @ours: an option that tcpdump does not have, or NULL
 * @write: -w, or NULL to print
 * @rotate_size: -C in bytes, or 0
 * @rotate_seconds: -G, or 0
 * @rotate_files: -W, or 0
 * @command: -z, or NULL
 * @jobs: --jobs, or 0
 * @stop: --autostop
 * @ring: --ring-buffer
 * @is_ring: it was given
 * @part: --part
 * @no_part: --no-part
 * @on_full: --on-full
 * @codec: --compress
 * @level: its level
 * @user: -Z, or NULL
 * @print: --print
 * @count_only: --count
 * @count: -c, or 0
 * @snaplen: -s
 * @ring_size: -B, in bytes
 * @direction: -Q, PTAP_DIR_* bits
 * @promisc: not -p
 * @format: enum ptap_format
 * @linktype: -y, or 0
 * @dlt: the same in libpcap's numbers, or -1
 * @meta: --meta, PTAP_META_* bits
 * @describe: headers name machine and addresses
 * @sums: a file has an account of its packets
 * @sums_seconds: and in between as often, or 0
 * @stats_json: --stats json: seconds between two lines, or 0
 * @stats_file: where to, or NULL for standard error
 * @stats_prom: --stats prometheus, or NULL
 * @stats_quiet: --stats none: no line on the terminal
 * @copybreak: --copybreak, or -1
 * @clock_tsc: --clock=tsc
 * @clock_adapter: an adapter stamps packets
 * @stamp_type: -j in libpcap's numbers, or -1
 * @read: --read
 * @immediate: --immediate-mode
 * @verbose: number of -v
 * @print_foreign: -f
 * @filter_file: -F, or NULL
 * @filter: the expression, or NULL
 * @print_args: options that are tcpdump's when printing
 * @nr_print_args: their number
 */
struct options {
	char **ifaces;
	unsigned int nr_ifaces;
	bool any;
	bool list;
	bool list_sessions;
	bool list_linktypes;
	bool list_stamps;
	unsigned int dump;
	bool no_optimize;
	bool verify;
	char **words;
	bool offline;
	const char *ours;
	const char *write;
	uint64_t rotate_size;
	uint32_t rotate_seconds;
	uint32_t rotate_files;
	const char *command;
	uint32_t jobs;
	struct limits stop;
	struct limits ring;
	bool is_ring;
	bool part;
	bool no_part;
	enum on_full on_full;
	enum codec codec;
	int level;
	const char *user;
	bool print;
	bool count_only;
	uint64_t count;
	uint32_t snaplen;
	uint64_t ring_size;
	uint32_t direction;
	bool promisc;
	uint32_t format;
	uint32_t linktype;
	int dlt;
	uint32_t meta;
	bool describe;
	bool sums;
	uint32_t sums_seconds;
	uint32_t stats_json;
	const char *stats_file;
	const char *stats_prom;
	bool stats_quiet;
	int64_t copybreak;
	bool clock_tsc;
	bool clock_adapter;
	int stamp_type;
	bool read;
	bool immediate;
	unsigned int verbose;
	bool print_foreign;
	const char *filter_file;
	char *filter;
	char **print_args;
	unsigned int nr_print_args;
};

/**
 * struct printer - tcpdump, which prints what is written to it
 * @fd: its input
 * @pid: its process, or 0
 * @relay: the process that passes its messages on, or 0
 */
struct printer {
	int fd;
	pid_t pid;
	pid_t relay;
};

/**
 * struct sums - the account of a pcapng capture
 * @opt: command line
 * @tap: where packets come from
 * @start_ns: when the capture began
 * @due_ns: time of the next one at intervals
 * @records: written so far
 * @sum: of each interface that was met
 * @nr: entries at @sum
 */
struct sums {
	const struct options *opt;
	struct ptap *tap;
	uint64_t start_ns;
	uint64_t due_ns;
	uint64_t records;
	struct sum *sum;
	uint32_t nr;
};

/**
 * struct set_file - a file that is complete
 * @next: the next younger one
 * @bytes: its length
 * @name: its name
 */
struct set_file {
	struct set_file *next;
	uint64_t bytes;
	char name[];
};

/**
 * struct file_set - the files that are complete
 * @first: oldest
 * @last: youngest
 * @nr: their number
 * @bytes: of all
 */
struct file_set {
	struct set_file *first;
	struct set_file *last;
	unsigned int nr;
	uint64_t bytes;
};

/**
 * struct files - the capture files of -w, one after the other
 * @opt: command line
 * @sums: their account
 * @dir: their directory, as it was when the capture began, or AT_FDCWD
 * @dir_len: so many bytes of their names are in front of what is in @dir
 * @base: the directory below which all of them are, or -1
 * @runner: runs the command of -z, or -1
 * @place: all that as the guardian knows it
 * @guard: looks after the files
 * @set: those that are complete
 * @parts: names have a suffix until then
 * @part: this one has
 * @name: the file being written, or that could not be
 * @fd: it, or -1
 * @regular: it can be cut
 * @waiting: there was no room, which was said
 * @watched: of this capture its meters tell, also while there is no room
 * @error: why nothing more can be written, or 0
 * @writer: writes to it, or NULL
 * @packer: does, with --compress, or NULL
 * @number: of -C in its name
 * @turns: rotations by -G so far
 * @period: when the last one was, for their names
 * @begun_ms: when this one began, by the clock
 * @due_ms: time of the next one by duration, or INT64_MAX
 * @due_clock_ms: by -G, in the clock's time, or INT64_MAX
 * @records: in the files before it
 * @failed: one of these could not be completed
 */
struct files {
	const struct options *opt;
	struct sums *sums;
	int dir;
	size_t dir_len;
	int base;
	int runner;
	struct guard_place place;
	struct guard guard;
	struct file_set set;
	bool parts;
	bool part;
	char *name;
	int fd;
	bool regular;
	bool waiting;
	const struct capture *watched;
	int error;
	struct ptap_writer *writer;
	struct packer *packer;
	unsigned int number;
	unsigned int turns;
	time_t period;
	int64_t begun_ms;
	int64_t due_ms;
	int64_t due_clock_ms;
	uint64_t records;
	bool failed;
};

/**
 * struct output - where packets go
 * @opt: command line
 * @tap: where they come from
 * @files: with -w
 * @sums: their account
 * @printer: without -w, or with --print
 * @printing: writes to the printer, or nowhere with --count; or NULL
 * @reader: the pipe or socket whose reader the capture is for, or -1
 */
struct output {
	const struct options *opt;
	struct ptap *tap;
	struct files files;
	struct sums sums;
	struct printer printer;
	struct ptap_writer *printing;
	int reader;
};

/**
 * struct capture - a capture going on
 * @opt: command line
 * @tap: the library's handle
 * @out: where to
 * @meters: who watches
 * @lost_reader: the other end of a pipe is gone
 * @interrupted: it was ended by a signal
 * @full: it was ended by -G with -W
 * @last: no more files, by -W or --autostop
 * @enough: no more packets either
 * @stop_ms: when --autostop ends it, or 0
 */
struct capture {
	const struct options *opt;
	struct ptap *tap;
	struct output out;
	struct meters *meters;
	bool lost_reader;
	bool interrupted;
	bool full;
	bool last;
	bool enough;
	int64_t stop_ms;
};

/* options.c */
void options_parse(struct options *opt, int argc, char **argv);
void options_free(struct options *opt);

/* criteria.c */
void criteria_stop(struct options *opt, const char *text);
void criteria_ring(struct options *opt, const char *text);
void criteria_compress(struct options *opt, const char *text);
void criteria_on_full(struct options *opt, const char *text);
void criteria_check(const struct options *opt);

/* usage.c */
void usage_print(int to_stderr);
void version_print(void);
void die(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* meters.c */
void meters_parse(struct options *opt, const char *word);
int meters_open(struct capture *c);
int meters_start(struct capture *c);
void meters_tick(const struct capture *c);
int meters_wait_ms(const struct capture *c);
void meters_clear(void);
void meters_end(struct capture *c);

/* meta.c */
void meta_parse(struct options *opt, const char *list);
void meta_warn(const struct options *opt, struct ptap *tap);

/* sums.c */
void sums_init(struct sums *s, const struct options *opt, struct ptap *tap);
void sums_free(struct sums *s);
int sums_count(struct sums *s, const struct ptap_spans *spans);
int sums_put(struct sums *s, struct files *f, bool last);
int sums_wait_ms(const struct sums *s);
int sums_tick(struct sums *s, struct files *f);

/* ifaces.c */
void ifaces_list(void);
void ifaces_resolve(struct options *opt);
void ifaces_print(FILE *to, const struct options *opt);

int ifaces_dlt(uint32_t linktype);
uint32_t ifaces_linktype(int dlt);

/* output.c */
int output_prepare(struct output *out, const struct options *opt,
		   struct ptap *tap);
void output_fork(struct output *out);
int output_open(struct output *out);
int output_folder(const struct output *out);
int output_put(struct output *out, const struct ptap_spans *spans);
uint64_t output_records(const struct output *out);
uint64_t output_held(const struct output *out);
const char *output_name(const struct output *out);
int output_close(struct output *out, const struct capture *c);
void output_free(struct output *out);

/* rotate.c */
int files_prepare(struct files *f, const struct options *opt);
void files_fork(struct files *f, struct ptap *tap);
int files_open(struct files *f);
int files_folder(const struct files *f);
int files_put(struct files *f, struct ptap *tap,
	      const struct ptap_spans *spans);
int files_wait_ms(const struct files *f);
bool files_due(const struct files *f);
int files_turn(struct files *f, struct ptap *tap);
int files_turn_now(struct files *f, struct ptap *tap);
int files_close(struct files *f, bool run_command);

/* names.c */
char *names_pattern(const struct options *opt);
char *names_make(const struct files *f);
bool names_match(const char *pattern, const char *name);

/* file.c */
int file_open(struct files *f);
int file_open_stdout(struct files *f);
const char *file_error(int err);
void file_name(struct files *f);
int file_put(struct files *f, const struct ptap_spans *spans);
void file_close(struct files *f, unsigned int flags);
uint64_t file_bytes(const struct files *f);
uint64_t file_records(const struct files *f);
int file_flush_ms(const struct files *f);
int file_flush(struct files *f);

/* set.c */
void set_add(struct file_set *set, const char *name, uint64_t bytes);
void set_forget(struct file_set *set, const char *name);
void set_free(struct file_set *set);
bool set_remove_oldest(struct files *f);
void set_trim(struct files *f);
void set_find(struct files *f, const char *pattern);

/* parts.c */
void parts_repair(const struct files *f, const char *pattern);

/* cut.c */
/**
 * struct cut - spans that go into more than one file
 * @spans: they
 * @format: enum ptap_format of their records
 * @span: the part that is next begins in this one
 * @off: at this offset
 * @iov: spans of the last part
 */
struct cut {
	const struct ptap_spans *spans;
	uint32_t format;
	unsigned int span;
	size_t off;
	struct iovec *iov;
};

int cut_init(struct cut *cut, const struct ptap_spans *spans, uint32_t format);
void cut_exit(struct cut *cut);
bool cut_is_done(const struct cut *cut);
void cut_skip_headers(struct cut *cut);
bool cut_next(struct cut *cut, uint64_t room, uint64_t records,
	      struct ptap_spans *part);

/* command.c */
int command_start(const char *command, unsigned int max, int tap_fd);
void command_run(int runner, const char *command, const char *file);

/* print.c */
int print_start(struct printer *pr, const struct options *opt);
int print_finish(struct printer *pr);

/* privileges.c */
void privileges_drop(const char *user);

/* confine.c */
/**
 * struct places - files that are needed to the end
 * @out: the folder below which capture files will be made, or -1 if none will
 * @meters: the folder of a file that is written again and again, or -1
 * @describe: what a file says of machine and interfaces is read
 */
struct places {
	int out;
	int meters;
	bool describe;
};

int confine_process(const struct places *places);
void confine(const struct capture *c);

/* landlock.c */
int landlock_enter(const struct places *places);

/* lists.c */
void lists_linktypes(const struct options *opt, struct ptap *tap);

void stamps_parse(struct options *opt, const char *name);
void stamps_list(const struct options *opt);
void stamps_prepare(struct options *opt);

/* sessions.c */
void sessions_list(void);

/* verify.c */
int verify_files(char *const *names, bool verbose);

/* program.c */
void program_dump(const struct options *opt);

/* offline.c */
void offline_run(const struct options *opt, char **argv)
	__attribute__((noreturn));

/* signals.c */
enum signal_wish {
	WISH_STOP	= 1 << 0,	/* end the capture properly */
	WISH_INFO	= 1 << 1,	/* say how it goes */
	WISH_CHILD	= 1 << 2,	/* the printer may have ended */
	WISH_TURN	= 1 << 3,	/* begin the next file */
};

void signals_init(bool turns);
unsigned int signals_take(unsigned int wishes);
int signals_wait(struct ptap *tap, int reader, int timeout_ms);
bool signals_wish_stop(void);

/* capture.c */
int capture_run(struct capture *c);

/* report.c */
void report_listening(const struct capture *c);
void report_brief(const struct capture *c);
void report_full(const struct capture *c);
void report_final(const struct capture *c);
void report_gone(const struct capture *c);

#endif /* TAPDUMP_H */
