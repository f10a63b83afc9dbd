// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes, made on purpose: what the sanitizer kernel has to tell of.  One
 * that is silent here would be silent about ptap, too (guest.sh).
 *
 * The parameter says which.  Loading always fails, so that nothing is left.
 * "refill" is no mistake but helps to find one (guest.sh).
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *mistake = "";
module_param(mistake, charp, 0);

static DEFINE_MUTEX(canary_a);
static DEFINE_MUTEX(canary_b);
static DEFINE_SPINLOCK(canary_spin);

static void canary_freed(void)
{
	char *p = kmalloc(64, GFP_KERNEL);

	kfree(p);
	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[8], 1);
}

static void canary_beyond(void)
{
	char *p = kmalloc(60, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(p);
	WRITE_ONCE(p[60], 1);
	kfree(p);
}

static void canary_leak(void)
{
	char *p;
	int i;

	/* Several: a stale register may point to one. */
	for (i = 0; i < 8; i++) {
		p = kmalloc(100, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(p);
	}
}

/* More than the two arrays of a CPU hold: each place is written anew. */
#define CANARY_REFILL	256

static void canary_refill_cache(size_t size, gfp_t gfp)
{
	static void *objects[CANARY_REFILL];
	int i;

	for (i = 0; i < CANARY_REFILL; i++)
		objects[i] = kmalloc(size, gfp);
	for (i = 0; i < CANARY_REFILL; i++)
		kfree(objects[i]);
	memset(objects, 0, sizeof(objects));
}

/* On this CPU. */
static void canary_refill(void)
{
	size_t size;

	for (size = 8; size <= KMALLOC_MAX_CACHE_SIZE; size *= 2) {
		canary_refill_cache(size, GFP_KERNEL);
		canary_refill_cache(size, GFP_KERNEL_ACCOUNT);
	}
	for (size = 96; size <= 192; size *= 2) {
		canary_refill_cache(size, GFP_KERNEL);
		canary_refill_cache(size, GFP_KERNEL_ACCOUNT);
	}
}

static void canary_shift(void)
{
	int by = 40;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("canary: %d\n", 1 << by);
}

static void canary_sleep(void)
{
	spin_lock(&canary_spin);
	msleep(1);
	spin_unlock(&canary_spin);
}

static void canary_order(void)
{
	mutex_lock(&canary_a);
	mutex_lock(&canary_b);
	mutex_unlock(&canary_b);
	mutex_unlock(&canary_a);
	mutex_lock(&canary_b);
	mutex_lock(&canary_a);
	mutex_unlock(&canary_a);
	mutex_unlock(&canary_b);
}

static const struct {
	const char *name;
	void (*make)(void);
} canaries[] = {
	{ "freed", canary_freed },
	{ "beyond", canary_beyond },
	{ "leak", canary_leak },
	{ "refill", canary_refill },
	{ "shift", canary_shift },
	{ "sleep", canary_sleep },
	{ "order", canary_order },
};

static int __init canary_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(canaries); i++)
		if (!strcmp(canaries[i].name, mistake))
			canaries[i].make();
	return -ECANCELED;
}

module_init(canary_init);
MODULE_DESCRIPTION("Mistakes that a sanitizer kernel has to report");
MODULE_LICENSE("GPL");
