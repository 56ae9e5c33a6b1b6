/* SPDX-License-Identifier: Apache-2.0 */
/* The interrupt controller as software sees it; the same cases on GICv2 and GICv3. */
#include <rt.h>

#define SPI  40 /* of no device */
#define LATE 500

static struct irq_log *log;

static void start(void)
{
	log = irq_log();
	irq_on();
}

static void check_count(uint32_t irq, uint32_t count)
{
	if (!WAIT_FOR(log->count[irq] >= count, LATE)) {
		rt_fail("interrupt %u came %u times, not %u", irq, log->count[irq], count);
	}
	/* A moment for one too many. */
	rt_delay_ms(1);
	if (log->count[irq] != count) {
		rt_fail("interrupt %u came %u times, not %u", irq, log->count[irq], count);
	}
}

/* ---- SGIs ---- */

CASE(gic_sgi_self, "gic.sgi_self", 0)
{
	start();
	for (uint32_t n = 0; n < 16; n++) {
		gic_sgi(n, 0);
		check_count(n, 1);
	}
	CHECK_EQ(log->total, 16);
}

static uint32_t ready;

static void receive(void *arg)
{
	uint32_t expected = *(uint32_t *)arg;
	uint32_t self = rt_this_cpu()->index;

	gic_init_cpu();
	irq_on();
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	/* Some wait in WFI, some spin. */
	while (irq_logs[self].total < expected) {
		if (self % 2 == 0) {
			wfi();
		} else {
			arch_relax();
		}
	}
	irq_off();
}

static void start_receivers(uint32_t *expected)
{
	ready = 0;
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_start(i, receive, expected);
	}
	CHECK(WAIT_FOR(__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == rt_cpu_count - 1, 5000));
}

static void join_receivers(void)
{
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_join(i);
	}
}

CASE(gic_sgi_other, "gic.sgi_other", CASE_SMP)
{
	uint32_t expected = 3;

	start();
	start_receivers(&expected);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		for (uint32_t n = 1; n <= 3; n++) {
			gic_sgi(n, i);
			CHECK(WAIT_FOR(__atomic_load_n(&irq_logs[i].count[n], __ATOMIC_ACQUIRE) ==
					       1,
				       2000));
		}
	}
	join_receivers();
	CHECK_EQ(log->total, 0);
}

CASE(gic_sgi_others, "gic.sgi_others", CASE_SMP)
{
	uint32_t expected = 2;

	start();
	start_receivers(&expected);
	gic_sgi_others(5);
	gic_sgi_others(6);
	join_receivers();
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		CHECK_EQ(irq_logs[i].count[5], 1);
		CHECK_EQ(irq_logs[i].count[6], 1);
	}
	rt_delay_ms(1);
	CHECK_EQ(log->total, 0);
}

#define PINGS 50
static void ping_back(uint32_t irq)
{
	gic_end(irq);
	if (rt_this_cpu()->index != 0) {
		gic_sgi(3, 0);
	}
}

/* There and back, each waiting for the other in WFI. */
CASE(gic_sgi_pingpong, "gic.sgi_pingpong", CASE_SMP)
{
	uint32_t expected = PINGS;

	log = irq_log();
	irq_hook = ping_back;
	ready = 0;
	rt_cpu_start(1, receive, &expected);
	CHECK(WAIT_FOR(__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == 1, 5000));
	for (uint32_t n = 0; n < PINGS; n++) {
		gic_sgi(2, 1);
		while (log->count[3] == n) {
			wfi();
			irq_on();
			irq_off();
		}
	}
	rt_cpu_join(1);
	CHECK_EQ(log->count[3], PINGS);
}

/* ---- Pending, enabled, active ---- */

static void pend_and_take(uint32_t irq)
{
	gic_set_edge(irq, true);
	gic_set_pending(irq, true);
	CHECK(gic_is_pending(irq));
	rt_delay_ms(1);
	CHECK_EQ(log->count[irq], 0);
	gic_enable(irq, true);
	CHECK(gic_is_enabled(irq));
	check_count(irq, 1);
	CHECK(!gic_is_pending(irq) && !gic_is_active(irq));
	gic_enable(irq, false);
	CHECK(!gic_is_enabled(irq));
	gic_set_pending(irq, true);
	rt_delay_ms(1);
	gic_set_pending(irq, false);
	CHECK(!gic_is_pending(irq));
	gic_enable(irq, true);
	rt_delay_ms(1);
	check_count(irq, 1);
}

/* QEMU's own GICv2 forgets these (GIC_DIST_TARGET of a PPI). */
CASE(gic_ppi_pending, "gic.ppi_pending", CASE_HV)
{
	start();
	/* A PPI that no device drives. */
	pend_and_take(20);
}

CASE(gic_spi_pending, "gic.spi_pending", 0)
{
	start();
	pend_and_take(SPI);
	pend_and_take(gic_irqs - 1);
}

/* Level-sensitive without a device: pending by register is a latch, and comes once. */
CASE(gic_spi_level, "gic.spi_level", 0)
{
	start();
	gic_enable(SPI, true);
	CHECK(!gic_is_edge(SPI));
	gic_set_pending(SPI, true);
	check_count(SPI, 1);
}

static void hold(uint32_t irq)
{
	CHECK(gic_is_active(irq));
	CHECK(!gic_is_pending(irq));
	if (log->count[irq] == 1) {
		/* A second edge while the first is active waits for its end. */
		gic_set_pending(irq, true);
		CHECK(gic_is_pending(irq));
		CHECK_EQ(log->count[irq], 1);
	}
	gic_end(irq);
}

CASE(gic_edge_while_active, "gic.edge_while_active", 0)
{
	start();
	irq_hook = hold;
	gic_set_edge(SPI, true);
	gic_enable(SPI, true);
	gic_set_pending(SPI, true);
	check_count(SPI, 2);
}

/* What is active is not delivered, until it is not. */
CASE(gic_active, "gic.active", 0)
{
	start();
	gic_set_edge(SPI, true);
	gic_enable(SPI, true);
	gic_set_active(SPI, true);
	CHECK(gic_is_active(SPI));
	gic_set_pending(SPI, true);
	rt_delay_ms(2);
	CHECK_EQ(log->count[SPI], 0);
	CHECK(gic_is_pending(SPI));
	gic_set_active(SPI, false);
	check_count(SPI, 1);
}

/* ---- Priorities ---- */

CASE(gic_priority_order, "gic.priority_order", 0)
{
	static const uint32_t priority[] = { 0x90, 0x40, 0xc0, 0x40, 0x10, 0x80 };
	static const uint32_t order[] = { SPI + 4, SPI + 1, SPI + 3, SPI + 5, SPI, SPI + 2 };

	log = irq_log();
	for (uint32_t n = 0; n < 6; n++) {
		gic_set_priority(SPI + n, priority[n]);
		gic_set_edge(SPI + n, true);
		gic_enable(SPI + n, true);
		gic_set_pending(SPI + n, true);
	}
	irq_on();
	CHECK(WAIT_FOR(log->total == 6, LATE));
	for (uint32_t n = 0; n < 6; n++) {
		CHECK_EQ(log->order[n], order[n]);
	}
}

/* More at once than there can be list registers: each comes once, by priority. */
CASE(gic_many, "gic.many", 0)
{
	log = irq_log();
	for (uint32_t n = 0; n < 24; n++) {
		gic_set_priority(SPI + n, 0xf0 - n * 8);
		gic_set_edge(SPI + n, true);
		gic_enable(SPI + n, true);
		gic_set_pending(SPI + n, true);
	}
	irq_on();
	CHECK(WAIT_FOR(log->total >= 24, LATE));
	rt_delay_ms(1);
	CHECK_EQ(log->total, 24);
	for (uint32_t n = 0; n < 24; n++) {
		CHECK_EQ(log->order[n], SPI + 23 - n);
	}
}

static uint32_t nesting, deepest;

static void nest(uint32_t irq)
{
	nesting++;
	deepest = nesting > deepest ? nesting : deepest;
	if (irq == SPI) {
		CHECK_EQ(gic_running_priority(), 0x80);
		gic_set_pending(SPI + 1, true); /* more urgent */
		gic_set_pending(SPI + 2, true); /* less urgent */
		irq_on();
		CHECK(WAIT_FOR(log->count[SPI + 1] == 1, LATE));
		rt_delay_ms(1);
		CHECK_EQ(log->count[SPI + 2], 0);
		irq_off();
	}
	nesting--;
	gic_end(irq);
}

CASE(gic_preemption, "gic.preemption", 0)
{
	nesting = 0;
	deepest = 0;
	irq_hook = nest;
	for (uint32_t n = 0; n < 3; n++) {
		gic_set_edge(SPI + n, true);
		gic_enable(SPI + n, true);
	}
	gic_set_priority(SPI, 0x80);
	gic_set_priority(SPI + 1, 0x40);
	gic_set_priority(SPI + 2, 0xc0);
	start();
	gic_set_pending(SPI, true);
	check_count(SPI + 2, 1);
	CHECK_EQ(deepest, 2);
	CHECK_EQ(gic_running_priority(), 0xff);
}

CASE(gic_priority_mask, "gic.priority_mask", 0)
{
	start();
	gic_set_mask(0x80);
	gic_set_edge(SPI, true);
	gic_set_priority(SPI, 0x80);
	gic_enable(SPI, true);
	gic_set_pending(SPI, true);
	rt_delay_ms(2);
	CHECK_EQ(log->count[SPI], 0);
	gic_set_priority(SPI + 1, 0x78);
	gic_set_edge(SPI + 1, true);
	gic_enable(SPI + 1, true);
	gic_set_pending(SPI + 1, true);
	check_count(SPI + 1, 1);
	gic_set_mask(0x88);
	check_count(SPI, 1);
}

/* Changed while it is pending: what counts is the priority at delivery. */
CASE(gic_priority_change, "gic.priority_change", 0)
{
	start();
	gic_set_mask(0x80);
	gic_set_edge(SPI, true);
	gic_set_priority(SPI, 0xc0);
	gic_enable(SPI, true);
	gic_set_pending(SPI, true);
	rt_delay_ms(1);
	CHECK_EQ(log->count[SPI], 0);
	gic_set_priority(SPI, 0x20);
	check_count(SPI, 1);
}

static bool drop_only;

static void split(uint32_t irq)
{
	gic_end(irq);
	CHECK_EQ(gic_running_priority(), 0xff);
	CHECK(gic_is_active(irq));
	if (!drop_only) {
		gic_deactivate(irq);
		CHECK(!gic_is_active(irq));
	}
}

/* EOI drops the priority, and only DIR ends the interrupt. */
CASE(gic_split_eoi, "gic.split_eoi", 0)
{
	irq_hook = split;
	drop_only = false;
	gic_split_eoi(true);
	gic_set_edge(SPI, true);
	gic_enable(SPI, true);
	start();
	gic_set_pending(SPI, true);
	check_count(SPI, 1);
	/* Deactivated much later, outside the handler; the second edge waits. */
	drop_only = true;
	gic_set_pending(SPI, true);
	check_count(SPI, 2);
	gic_set_pending(SPI, true);
	rt_delay_ms(2);
	CHECK_EQ(log->count[SPI], 2);
	drop_only = false;
	gic_deactivate(SPI);
	check_count(SPI, 3);
	gic_split_eoi(false);
}

CASE(gic_spurious, "gic.spurious", 0)
{
	CHECK_EQ(gic_ack(), GIC_SPURIOUS);
	CHECK_EQ(gic_highest_pending(), GIC_SPURIOUS);
	gic_end(GIC_SPURIOUS);
	gic_set_edge(SPI, true);
	gic_enable(SPI, true);
	gic_set_pending(SPI, true);
	CHECK(WAIT_FOR(gic_highest_pending() == SPI, LATE));
	CHECK_EQ(gic_ack(), SPI);
	CHECK_EQ(gic_running_priority(), 0xa0);
	CHECK_EQ(gic_ack(), GIC_SPURIOUS);
	gic_end(SPI);
}

CASE(gic_dist_disabled, "gic.dist_disabled", 0)
{
	start();
	gic_dist_enable(false);
	gic_set_edge(SPI, true);
	gic_enable(SPI, true);
	gic_set_pending(SPI, true);
	rt_delay_ms(2);
	CHECK_EQ(log->count[SPI], 0);
	gic_dist_enable(true);
	check_count(SPI, 1);
}

static void take_spi(void *arg)
{
	receive(arg);
}

CASE(gic_route, "gic.route", CASE_SMP)
{
	uint32_t expected = 1;

	start();
	gic_set_edge(SPI, true);
	gic_enable(SPI, true);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		ready = 0;
		rt_cpu_start(i, take_spi, &expected);
		CHECK(WAIT_FOR(__atomic_load_n(&ready, __ATOMIC_SEQ_CST) == 1, 5000));
		gic_route(SPI, i);
		gic_set_pending(SPI, true);
		rt_cpu_join(i);
		CHECK_EQ(irq_logs[i].count[SPI], 1);
	}
	CHECK_EQ(log->count[SPI], 0);
	if (!rt_under_hv) {
		return; /* QEMU's own GICv2 leaves it where it became pending */
	}
	/* Moved while it is pending. */
	gic_enable(SPI, false);
	gic_set_pending(SPI, true);
	gic_route(SPI, 0);
	gic_enable(SPI, true);
	check_count(SPI, 1);
}

/* ---- A device's line ---- */

static void uart_handler(uint32_t irq)
{
	mmio_write32(UART_BASE + 0x38, 0); /* IMSC: the line falls */
	gic_end(irq);
}

/* The UART's transmit interrupt is a level: masked at the device it is gone. */
CASE(gic_uart_line, "gic.uart_line", 0)
{
	irq_hook = uart_handler;
	gic_enable(UART_IRQ, true);
	start();
	/* The transmit interrupt rises when the FIFO runs empty: by a character. */
	mmio_write32(UART_BASE + 0x38, BIT32(5));
	mmio_write32(UART_BASE, ' ');
	check_count(UART_IRQ, 1);
	mmio_write32(UART_BASE + 0x38, BIT32(5));
	check_count(UART_IRQ, 2);
	CHECK(!gic_is_pending(UART_IRQ));
}

static char typed[64];
static uint32_t typed_len;

static void uart_receive(uint32_t irq)
{
	int c;

	while ((c = arch_getc()) >= 0) {
		typed[typed_len < sizeof(typed) - 1 ? typed_len++ : typed_len] = (char)c;
	}
	mmio_write32(UART_BASE + 0x44, 0x7ff);
	gic_end(irq);
}

/* What is typed comes by the receive and timeout interrupts; WFI in between. */
CASE(gic_uart_receive, "gic.uart_receive", CASE_MANUAL)
{
	typed_len = 0;
	irq_hook = uart_receive;
	gic_enable(UART_IRQ, true);
	start();
	irq_off();
	mmio_write32(UART_BASE + 0x2c, 0x70);  /* LCR_H: 8 bits, FIFOs */
	mmio_write32(UART_BASE + 0x30, 0x301); /* CR: on, transmit, receive */
	mmio_write32(UART_BASE + 0x38, BIT32(4) | BIT32(6));
	rt_printf("type, end with a full stop\n");
	while (typed_len == 0 || typed[typed_len - 1] != '.') {
		wfi();
		irq_on();
		irq_off();
	}
	CHECK(log->count[UART_IRQ] >= 1);
	rt_printf("interrupts brought: %s\n", typed);
}

/* ---- Registers ---- */

#define GICD_IPRIORITYR 0x400
#define GICD_ICFGR	0xc00

CASE(gic_registers, "gic.registers", 0)
{
	uint64_t prio = gicd_base + GICD_IPRIORITYR + SPI;

	/* Priorities: bytes and words of the same thing. */
	mmio_write32(prio, 0x80402010);
	CHECK_EQ(mmio_read8(prio), 0x10);
	CHECK_EQ(mmio_read8(prio + 3), 0x80);
	mmio_write8(prio + 1, 0x60);
	CHECK_EQ(mmio_read32(prio), 0x80406010);
	/* At least 16 levels. */
	gic_set_priority(SPI, 0xff);
	CHECK((gic_priority(SPI) & 0xf0) == 0xf0);
	/* Set and clear registers are two views; zeroes written do nothing. */
	mmio_write32(gic_reg(SPI, 0x100, 1), BIT32(SPI % 32));
	CHECK(gic_is_enabled(SPI));
	mmio_write32(gic_reg(SPI, 0x100, 1), 0);
	mmio_write32(gic_reg(SPI, 0x180, 1), 0);
	CHECK(gic_is_enabled(SPI));
	CHECK_EQ(mmio_read32(gic_reg(SPI, 0x180, 1)), mmio_read32(gic_reg(SPI, 0x100, 1)));
	mmio_write32(gic_reg(SPI, 0x180, 1), BIT32(SPI % 32));
	CHECK(!gic_is_enabled(SPI));
	/* SGIs are edge-triggered for ever. */
	mmio_write32(gic_reg(0, GICD_ICFGR, 2), 0);
	CHECK_EQ(mmio_read32(gic_reg(0, GICD_ICFGR, 2)) & 0xaaaaaaaa, 0xaaaaaaaa);
	gic_set_edge(SPI, true);
	CHECK(gic_is_edge(SPI));
	gic_set_edge(SPI, false);
	CHECK(!gic_is_edge(SPI));
}

CASE(gic_identity, "gic.identity", 0)
{
	uint64_t pidr2 = gicd_base + (gic_version == 3 ? 0xffe8 : 0xfe8);
	uint32_t cpus = (mmio_read32(gicd_base + 4) >> 5 & 7) + 1;

	CHECK_EQ(mmio_read32(pidr2) >> 4 & 0xf, gic_version);
	CHECK(gic_irqs >= 64);
	if (gic_version == 2) {
		CHECK_EQ(cpus, rt_cpu_count);
	}
}

static void sweep(uint64_t base, uint64_t size, bool write)
{
	for (uint64_t at = base; at < base + size; at += 4) {
		(void)mmio_read32(at);
		(void)mmio_read8(at + at / 4 % 4);
		(void)mmio_read16(at + at / 4 % 2 * 2);
		(void)mmio_read64(at & ~UINT64_C(7));
		if (write) {
			mmio_write8(at, 0);
			mmio_write16(at + 2, 0);
			mmio_write32(at, 0);
			mmio_write64(at & ~UINT64_C(7), 0);
		}
	}
}

/*
 * In its range nothing aborts, whatever the width: what is not there reads as zero and
 * is not written.  (Real ones differ here: only under the hypervisor.)
 */
CASE(gic_whole_range, "gic.whole_range", CASE_HV)
{
	/* Not the CPU interface: reading acknowledges. */
	sweep(gicd_base, gic_version == 3 ? 0x10000 : 0x1000, true);
	if (gic_version == 3) {
		sweep(gicr_base, 0x20000 * (uint64_t)rt_cpu_count, true);
	}
	gic_init();
	/* INTIDs that are not implemented. */
	if (gic_irqs <= 256) {
		mmio_write32(gicd_base + 0x100 + 992 / 32 * 4, UINT32_MAX);
		CHECK_EQ(mmio_read32(gicd_base + 0x100 + 992 / 32 * 4), 0);
		mmio_write32(gicd_base + GICD_IPRIORITYR + 992, UINT32_MAX);
		CHECK_EQ(mmio_read32(gicd_base + GICD_IPRIORITYR + 992), 0);
	}
}
