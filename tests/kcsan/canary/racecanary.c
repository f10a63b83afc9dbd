// SPDX-License-Identifier: GPL-2.0
/*
 * Data races, made on purpose: what the KCSAN kernel has to tell of, and one
 * pair of accesses of which it must not (guest.sh).
 *
 * The parameter says which; "seconds" for how long two threads run into each
 * other.  Loading always fails, so that nothing is left.
 */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

static char *race = "";
module_param(race, charp, 0);
static int seconds = 5;
module_param(seconds, int, 0);

static unsigned long canary_data;
static unsigned long canary_flag;

/* Two plain accesses. */
static void plain_write(void)
{
	canary_data++;
}

static void plain_read(void)
{
	unsigned long value = canary_data;

	asm volatile("" : : "r" (value));
}

/*
 * Handing over without a barrier: the flag may overtake the data.  The kernel
 * tells of it while the function goes on with other accesses.
 */
static void barrier_write(void)
{
	int i;

	if (smp_load_acquire(&canary_flag))
		return;
	canary_data++;
	WRITE_ONCE(canary_flag, 1);
	for (i = 0; i < 1000 && READ_ONCE(canary_flag); i++)
		cpu_relax();
}

static void barrier_read(void)
{
	int i;

	if (!smp_load_acquire(&canary_flag))
		return;
	for (i = 0; i < 1000; i++) {
		canary_data++;
		barrier();
	}
	smp_store_release(&canary_flag, 0);
}

/* The same, as it should be. */
static void right_write(void)
{
	if (smp_load_acquire(&canary_flag))
		return;
	canary_data++;
	smp_store_release(&canary_flag, 1);
}

static const struct {
	const char *name;
	void (*here)(void);
	void (*there)(void);
} canaries[] = {
	{ "plain", plain_write, plain_read },
	{ "barrier", barrier_write, barrier_read },
	{ "none", right_write, barrier_read },
};

static int canary_thread(void *side)
{
	void (*access)(void) = side;

	while (!kthread_should_stop()) {
		access();
		cond_resched();
	}
	return 0;
}

static int __init canary_init(void)
{
	struct task_struct *there;
	unsigned long end;
	int i;

	for (i = 0; i < ARRAY_SIZE(canaries); i++)
		if (!strcmp(canaries[i].name, race))
			break;
	if (i == ARRAY_SIZE(canaries))
		return -EINVAL;
	there = kthread_run(canary_thread, canaries[i].there, "racecanary");
	if (IS_ERR(there))
		return PTR_ERR(there);
	end = jiffies + seconds * HZ;
	while (time_before(jiffies, end)) {
		canaries[i].here();
		cond_resched();
	}
	kthread_stop(there);
	return -ECANCELED;
}

module_init(canary_init);
MODULE_DESCRIPTION("Data races that a KCSAN kernel has to report");
MODULE_LICENSE("GPL");
