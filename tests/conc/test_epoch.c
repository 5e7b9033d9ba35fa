// SPDX-License-Identifier: GPL-2.0-only
/*
 * Publication under threads, by the real mem/epoch.c: bus tables that vCPUs use
 * in their epoch, and GSI tables that eventfds use under their own lock.
 *
 * vCPU threads ring doorbells without a pause while a writer adds and removes
 * them, as core/vm.c and irq/ioeventfd.c do, and frees at once what it removed:
 * no device may be called after that. Eventfd threads look up their GSI, as
 * irq/irqfd.c does, while the writer replaces the table, takes each lock once
 * and frees the old one: what begins after that must find the new one. Run
 * under TSan, which also reports what is used after it was freed.
 */
#include <pthread.h>
#include <stdio.h>

#include "dev/bus.h"
#include "irq/route_table.h"
#include "kernel.h"
#include "mem/epoch.h"

#define VCPUS 3
#define EVENTFDS 2
#define BELLS 8
#define ROUNDS 2000
#define GSI 3
#define CHECK(c) do { if (!(c)) { \
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
	abort(); } } while (0)

struct bell {
	struct bus_dev dev;
	bool removed;
	u64 rung;
};

static struct epoch epoch;
static struct bus_table *bus;		/* published */
static struct irq_routing *routing;	/* published */
static u32 version;			/* older ones must not be found */
static int stop;
static u64 rings, misses, lookups;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static bool ring(struct bus_dev *dev, u64 addr, unsigned int len,
		 const void *data)
{
	struct bell *bell = container_of(dev, struct bell, dev);

	CHECK(!__atomic_load_n(&bell->removed, __ATOMIC_RELAXED));
	__atomic_add_fetch(&bell->rung, 1, __ATOMIC_RELAXED);
	return true;
}

static const struct bus_dev_ops bell_ops = { .write = ring };

static void *vcpu(void *arg)
{
	struct epoch_reader *reader = arg;
	u64 addr = 0, rung = 0, missed = 0;
	const u32 data = 1;

	while (!stopped()) {
		epoch_enter(reader);
		epoch_enter(reader);	/* they nest */
		for (int i = 0; i < BELLS; i++, addr++)
			if (bus_write(rcu_dereference(bus), addr % BELLS * 8, 4,
				      &data))
				rung++;
			else
				missed++;
		epoch_exit(&epoch, reader);
		epoch_exit(&epoch, reader);
		/* Rather be off the CPU here than inside. */
		if (!(addr % 16384))
			sched_yield();
	}
	__atomic_add_fetch(&rings, rung, __ATOMIC_RELAXED);
	__atomic_add_fetch(&misses, missed, __ATOMIC_RELAXED);
	return NULL;
}

static struct mutex wqh[EVENTFDS];

static void *eventfd(void *arg)
{
	struct mutex *lock = arg;
	u64 found = 0;

	while (!stopped()) {
		u32 oldest = smp_load_acquire(&version);
		const struct irq_route *route;
		unsigned int nr;

		mutex_lock(lock);
		route = route_table_find(rcu_dereference(routing), GSI, &nr);
		CHECK(nr == 1 && route->to == ROUTE_MSI);
		CHECK(route->msi.data >= oldest);
		mutex_unlock(lock);
		if (!(++found % 1024))
			sched_yield();
	}
	__atomic_add_fetch(&lookups, found, __ATOMIC_RELAXED);
	return NULL;
}

static struct bus_range range_of(struct bell *bell, unsigned int i)
{
	return (struct bus_range){
		.start = i * 8, .len = 4, .kind = BUS_EXACT, .dev = &bell->dev,
	};
}

/* vm_bus_publish() */
static void publish_bus(struct bus_table *table)
{
	struct bus_table *old = bus;

	rcu_assign_pointer(bus, table);
	epoch_wait(&epoch);
	host_free(old);
}

static void toggle(struct bell **bell, unsigned int i)
{
	struct bus_table *table;
	struct bus_range range;

	if (*bell) {
		range = range_of(*bell, i);
		CHECK(bus_table_remove(bus, &range, &table) == BUS_OK);
		publish_bus(table);
		__atomic_store_n(&(*bell)->removed, true, __ATOMIC_RELAXED);
		free(*bell);
		*bell = NULL;
		return;
	}
	*bell = calloc(1, sizeof(**bell));
	(*bell)->dev.ops = &bell_ops;
	range = range_of(*bell, i);
	CHECK(bus_table_add(bus, &range, &table) == BUS_OK);
	publish_bus(table);
}

static struct irq_routing *routes_of(u32 data)
{
	struct kvm_irq_routing_entry entry = {
		.gsi = GSI,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = data },
	};
	struct irq_routing *table;

	CHECK(route_table_build(&entry, 1, true, false, &table) == ROUTE_OK);
	return table;
}

/* route.c: publish(), with irqfd_settle() */
static void publish_routes(u32 data)
{
	struct irq_routing *old = routing;

	rcu_assign_pointer(routing, routes_of(data));
	for (int i = 0; i < EVENTFDS; i++) {
		mutex_lock(&wqh[i]);
		mutex_unlock(&wqh[i]);
	}
	smp_store_release(&version, data);
	host_free(old);
}

int main(void)
{
	struct epoch_reader reader[VCPUS];
	struct bell *bell[BELLS] = { NULL };
	pthread_t thread[VCPUS + EVENTFDS];
	unsigned int seed = 1;

	epoch_init(&epoch);
	routing = routes_of(0);
	for (int i = 0; i < VCPUS; i++) {
		epoch_add_reader(&epoch, &reader[i]);
		pthread_create(&thread[i], NULL, vcpu, &reader[i]);
	}
	for (int i = 0; i < EVENTFDS; i++) {
		mutex_init(&wqh[i]);
		pthread_create(&thread[VCPUS + i], NULL, eventfd, &wqh[i]);
	}
	for (u32 i = 1; i <= ROUNDS; i++) {
		unsigned int which = rand_r(&seed) % BELLS;

		toggle(&bell[which], which);
		if (i % 16)
			continue;
		publish_routes(i);
		sched_yield();
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < VCPUS + EVENTFDS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < VCPUS; i++)
		epoch_remove_reader(&epoch, &reader[i]);
	for (int i = 0; i < BELLS; i++)
		free(bell[i]);
	host_free(bus);
	host_free(routing);
	CHECK(rings && misses && lookups);
	printf("%llu rings, %llu missed, %llu look-ups\n", rings, misses,
	       lookups);
	return 0;
}
