/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PL031 real-time clock (DDI 0224, chapter 3).  Runs from the start (CR reads 1), for
 * guests that only read DR.  The match is found when somebody looks; the timer is
 * armed only while an interrupt can come of it.
 */
#include <hv/pl031.h>

#define RTCDR	0x000
#define RTCMR	0x004
#define RTCLR	0x008
#define RTCCR	0x00c
#define RTCIMSC 0x010
#define RTCRIS	0x014
#define RTCMIS	0x018
#define RTCICR	0x01c
#define RTCID	0xfe0 /* RTCPeriphID0-3, RTCPCellID0-3 */

#define NS_PER_S UINT64_C(1000000000)

static const uint8_t pl031_id[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static uint32_t pl031_seconds(const struct pl031 *rtc, uint64_t now)
{
	return (uint32_t)((now + rtc->epoch_ns) / NS_PER_S);
}

/* The counter or MR changed: when are they equal next (at once, if they are now)? */
static void pl031_plan(struct pl031 *rtc, uint64_t now)
{
	uint64_t clock = now + rtc->epoch_ns;
	uint32_t wait = rtc->mr - (uint32_t)(clock / NS_PER_S); /* the counter wraps */

	rtc->match_ns = now;
	if (wait != 0) {
		rtc->match_ns += wait * NS_PER_S - clock % NS_PER_S;
	}
}

/* Takes note of a match that is past; drives the interrupt and the timer. */
static void pl031_update(struct pl031 *rtc, uint64_t now)
{
	if (now >= rtc->match_ns) {
		rtc->ris = 1;
		rtc->match_ns = TIMER_NEVER; /* the next one is 136 years away */
	}
	timer_arm(&rtc->alarm, rtc->imsc != 0 ? rtc->match_ns : TIMER_NEVER);
	virq_set(&rtc->irq, (rtc->ris & rtc->imsc) != 0);
}

static void pl031_alarm(struct timer *t)
{
	struct pl031 *rtc = container_of(t, struct pl031, alarm);

	spin_lock(&rtc->lock);
	pl031_update(rtc, time_now());
	spin_unlock(&rtc->lock);
}

static uint64_t pl031_read(const struct pl031 *rtc, uint64_t offset, uint64_t now)
{
	uint32_t ris = rtc->ris | (now >= rtc->match_ns);

	if (offset >= RTCID && offset < RTCID + 4 * ARRAY_SIZE(pl031_id)) {
		return pl031_id[(offset - RTCID) / 4];
	}
	switch (offset) {
	case RTCDR:
		return pl031_seconds(rtc, now);
	case RTCMR:
		return rtc->mr;
	case RTCLR:
		return rtc->lr;
	case RTCCR:
		return 1;
	case RTCIMSC:
		return rtc->imsc;
	case RTCRIS:
		return ris;
	case RTCMIS:
		return ris & rtc->imsc;
	default:
		return 0;
	}
}

static void pl031_write(struct pl031 *rtc, uint64_t offset, uint32_t value)
{
	uint64_t now = time_now();

	pl031_update(rtc, now); /* a match that came before this write counts */
	switch (offset) {
	case RTCMR:
		rtc->mr = value;
		pl031_plan(rtc, now);
		break;
	case RTCLR:
		rtc->lr = value;
		rtc->epoch_ns = value * NS_PER_S - now;
		pl031_plan(rtc, now);
		break;
	case RTCIMSC:
		rtc->imsc = value & 1;
		break;
	case RTCICR:
		rtc->ris &= ~value;
		break;
	default: /* RTCCR: what runs cannot be stopped */
		break;
	}
	pl031_update(rtc, now);
}

static enum vdev_result pl031_access(struct vdev *dev, struct vdev_access *a)
{
	struct pl031 *rtc = container_of(dev, struct pl031, dev);

	if ((a->offset & 3) != 0 || a->width > 4) {
		return VDEV_OK;
	}
	spin_lock(&rtc->lock);
	if (a->write) {
		pl031_write(rtc, a->offset, (uint32_t)a->value);
	} else {
		a->value = pl031_read(rtc, a->offset, time_now());
	}
	spin_unlock(&rtc->lock);
	return VDEV_OK;
}

static void pl031_reset(struct vdev *dev)
{
	struct pl031 *rtc = container_of(dev, struct pl031, dev);
	uint64_t flags = spin_lock_irqsave(&rtc->lock);

	rtc->lr = 0;
	rtc->mr = 0;
	rtc->match_ns = TIMER_NEVER;
	rtc->imsc = 0;
	rtc->ris = 0;
	pl031_update(rtc, 0);
	spin_unlock_irqrestore(&rtc->lock, flags);
}

static void pl031_destroy(struct vdev *dev)
{
	timer_cancel(&container_of(dev, struct pl031, dev)->alarm);
}

static const struct vdev_ops pl031_ops = {
	.access = pl031_access,
	.reset = pl031_reset,
	.destroy = pl031_destroy,
};

void pl031_init(struct pl031 *rtc, struct vm *vm, const char *name, uint32_t seconds,
		struct vic *vic, uint32_t irq)
{
	*rtc = (struct pl031){
		.dev = { .ops = &pl031_ops, .vm = vm, .name = name },
		.alarm = { .fn = pl031_alarm },
		.irq = { .vic = vic, .irq = irq },
		.epoch_ns = seconds * NS_PER_S - time_now(),
	};
	pl031_reset(&rtc->dev);
}
