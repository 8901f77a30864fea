// A plugin for qemu's user mode emulation (plugin API 1, as in QEMU 7.2) that watches what an AArch64 program
// executes between its calls of main.begin and main.end:
//
//	count=FILE  how many instructions of each symbol, "COUNT SYMBOL" a line, of the last such stretch
//	trace=FILE  every instruction of symbols whose name contains within=TEXT: a little-endian word each, and a
//	            word of 0, which is no instruction, at the end of each stretch
//
// One thread of the program may be inside a stretch at a time. The few prototypes that are needed stand here,
// since Debian's qemu-user comes without its header.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t plugin_id;
typedef struct tb tb; // a translated block: instructions up to a branch
typedef struct insn insn;

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, tb *));
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);
void qemu_plugin_register_vcpu_insn_exec_cb(insn *, void (*)(unsigned, void *), int flags, void *);
void qemu_plugin_register_vcpu_tb_exec_inline(tb *, int op, void *counter, uint64_t add);
size_t qemu_plugin_tb_n_insns(const tb *);
insn *qemu_plugin_tb_get_insn(const tb *, size_t);
const void *qemu_plugin_insn_data(const insn *);
const char *qemu_plugin_insn_symbol(const insn *);

EXPORT int qemu_plugin_version = 1;

enum { ADD_U64 = 0, NO_REGISTERS = 0 };

typedef struct symbol {
	struct symbol *next;
	char *name;
	uint64_t running; // since main.begin, or since the program's start
	uint64_t counted; // between the marks
} symbol;

static symbol *symbols;
static FILE *count, *trace;
static const char *within = "";
static bool on;

static symbol *find(const char *name) {
	for (symbol *s = symbols; s; s = s->next)
		if (!strcmp(s->name, name))
			return s;
	symbol *s = calloc(1, sizeof *s);
	if (!s || !(s->name = strdup(name)))
		abort();
	s->next = symbols;
	return symbols = s;
}

static void begin(unsigned cpu, void *data) {
	for (symbol *s = symbols; s; s = s->next)
		s->running = 0;
	on = true;
}

static void end(unsigned cpu, void *data) {
	uint32_t terminator = 0;
	if (!on)
		return;
	on = false;
	for (symbol *s = symbols; s; s = s->next)
		s->counted = s->running;
	if (trace)
		fwrite(&terminator, sizeof terminator, 1, trace);
}

static void executed(unsigned cpu, void *data) {
	uint32_t word = (uint32_t)(uintptr_t)data;
	if (on)
		fwrite(&word, sizeof word, 1, trace);
}

// Go's functions are made of whole blocks, so that a block's first instruction names the symbol of all.
static void translated(plugin_id id, tb *block) {
	size_t n = qemu_plugin_tb_n_insns(block);
	const char *name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(block, 0));
	if (!name || !*name)
		name = "(no symbol)";
	if (!strcmp(name, "main.begin") || !strcmp(name, "main.end")) {
		void (*mark)(unsigned, void *) = strcmp(name, "main.end") ? begin : end;
		qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(block, 0), mark, NO_REGISTERS, NULL);
		return;
	}
	if (count)
		qemu_plugin_register_vcpu_tb_exec_inline(block, ADD_U64, &find(name)->running, n);
	if (!trace || !strstr(name, within))
		return;
	for (size_t i = 0; i < n; i++) {
		insn *in = qemu_plugin_tb_get_insn(block, i);
		uint32_t word;
		memcpy(&word, qemu_plugin_insn_data(in), sizeof word);
		qemu_plugin_register_vcpu_insn_exec_cb(in, executed, NO_REGISTERS, (void *)(uintptr_t)word);
	}
}

// finish reports files that could not be written whole.
static void finish(plugin_id id, void *data) {
	if (count)
		for (symbol *s = symbols; s; s = s->next)
			if (s->counted)
				fprintf(count, "%llu %s\n", (unsigned long long)s->counted, s->name);
	if ((count && (ferror(count) | fclose(count))) || (trace && (ferror(trace) | fclose(trace)))) {
		perror("plugin: writing");
		_Exit(1);
	}
}

static FILE *create(const char *path) {
	FILE *f = fopen(path, "wb");
	if (!f)
		perror(path);
	return f;
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
	for (int i = 0; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		if (!value)
			return -1;
		*value++ = 0;
		if (!strcmp(argv[i], "within"))
			within = value;
		else if (!strcmp(argv[i], "count") && !(count = create(value)))
			return -1;
		else if (!strcmp(argv[i], "trace") && !(trace = create(value)))
			return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finish, NULL);
	return 0;
}
