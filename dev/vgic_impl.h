/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the virtual GIC: the state that its files share.
 *
 * INTIDs are kept in banks of 32, one bit each: bank 0 (SGIs and PPIs) once for
 * every vCPU, the others (SPIs) once for the VM.  An interrupt that is pending is
 * in one of three places:
 *
 *   in the model only    not deliverable: disabled, no target, active, ...
 *   a candidate          deliverable, waiting for a list register of its vCPU; the bit
 *                        is set in bank.deliv and in cpu.cand of vCPU route[bit]
 *   in a list register   bank.in_lr; owner[bit] and lr[bit] tell which
 *
 * An active one is in a list register, or (more of them than list registers) in
 * cpu.act of its owner.
 *
 * There are two ways from a candidate to the guest (struct vgic_delivery): the host's
 * list registers (vgic_lr.c), or a CPU interface that traps (vgic_gicc.c).  With the
 * latter no list register is used: a candidate becomes active in cpu.act when the guest
 * acknowledges, so the model is exact at any time and everything about list registers
 * below is zero.
 *
 * What is pending, and for how long:
 *   edge, SGI  `latch` moves into the list register and out of it again when the
 *              register has to be given up.
 *   level      pending while `line` is high or `latch` (GICD_ISPENDR) is set; latch is
 *              cleared when the guest acknowledges.
 *   linked     (bank.hw) a host interrupt is active until the guest deactivates: its
 *              pending state is `latch`, handled as an edge whatever the
 *              configuration says, since the host's chip follows the real line.  If it is
 *              active and pending (by the guest's doing), the link belongs to the
 *              pending part: list registers cannot hold such a pair (IHI 0069 12.4).
 *
 * All fields are guarded by vgic.lock unless they say otherwise.
 */
#ifndef VGIC_IMPL_H
#define VGIC_IMPL_H

#include <hv/spinlock.h>
#include <hv/types.h>
#include <hv/vgic.h>

#define VGIC_WORDS   32 /* banks: INTIDs 0..1023 */
#define VGIC_NO_VCPU 0xffu
#define VGIC_SGIS    16u
#define VGIC_PRIVATE 32u
#define VGIC_IIDR    0x41000000u /* product 'A', no JEP106 implementer */

#define GICD_CTLR_GRP0	    BIT32(0)
#define GICD_CTLR_GRP1	    BIT32(1)
#define GICH_VMCR_ENG0	    BIT32(0)
#define GICH_VMCR_ENG1	    BIT32(1)
#define GICH_VMCR_ACKCTL    BIT32(2)
#define GICH_VMCR_FIQEN	    BIT32(3)
#define GICH_VMCR_CBPR	    BIT32(4)
#define GICH_VMCR_EOIM	    BIT32(9)
#define GICH_VMCR_PMR(vmcr) ((vmcr) >> 24)
#define VGIC_PRIO_NONE	    0x100u /* lower than any */
#define VGIC_GICC_PRIO_MASK 0xf8u  /* of a trapped CPU interface: 32 levels */

struct vgic_bank {
	uint32_t impl;	  /* INTIDs that exist */
	uint32_t enabled; /* GICD_ISENABLER */
	uint32_t on;	  /* enabled, and its group in GICD_CTLR; kept by vgic_update() */
	uint32_t group;	  /* GICD_IGROUPR */
	uint32_t edge;	  /* GICD_ICFGR */
	uint32_t latch;
	uint32_t line;
	uint32_t active; /* in a list register: as last read back */
	uint32_t in_lr;
	uint32_t lr_pend; /* pending in its list register, as last read back */
	uint32_t hw;	  /* a host interrupt is active for it */
	uint32_t refire;  /* hw, and it fired anew since its list register was read back */
	uint32_t deliv;
	uint32_t multi; /* SPI with a choice of targets: route[] is chosen when pending */
	uint32_t ack;	/* somebody wants to hear of deactivation */
	uint8_t prio[32];
	uint8_t route[32]; /* vCPU index; VGIC_NO_VCPU: none */
	uint8_t owner[32];
	uint8_t lr[32];
	uint16_t hwirq[32];
};

/* A set of INTIDs from which the one of highest priority is taken. */
struct vgic_set {
	uint32_t words; /* bit w: bits[w] is not 0 */
	uint32_t stale; /* bit w: best[w] has to be computed anew */
	uint32_t bits[VGIC_WORDS];
	uint8_t best[VGIC_WORDS]; /* index of the bit with the highest priority */
};

struct vgic_cpu {
	bool loaded;
	bool dirty;	   /* list registers do not fit the model: sync() has work */
	bool asleep;	   /* GICR_WAKER.ProcessorSleep */
	bool waits;	   /* pending() has let it sleep, and nobody has kicked it since */
	bool blocked;	   /* all list registers active, none may be given up */
	uint32_t affinity; /* Aff3.Aff2.Aff1.Aff0, a byte each */
	uint64_t sgi_self; /* ICC_SGI1R_EL1 for SGI 0 to this vCPU alone */
	uint32_t hcr;	   /* last written */
	uint32_t lr_used;  /* list registers with an INTID (or one finished since) */
	uint32_t lr_write; /* lr[] differs from the hardware */
	/* Wishes of other cores for the next fold, by list register ... */
	uint32_t req_clear_pend;
	uint32_t req_clear_active;
	uint32_t req_set_active;
	uint32_t hw_drop; /* ... and private INTIDs whose host interrupt is to be deactivated */
	uint64_t lr[GICH_MAX_LRS];
	uint8_t sgi_src[VGIC_SGIS];    /* V2: sources pending, latch is (sgi_src != 0) */
	uint8_t sgi_active[VGIC_SGIS]; /* V2: source of the active one */
	struct vgic_bank priv;
	struct vgic_set cand;
	struct vgic_set act;	 /* active without a list register */
	struct gich_cpuif cpuif; /* while not loaded; with a trapped interface always */
	uint8_t lines;		 /* trapped: VGIC_LINE_*, as the model wants them */
};

/* Outputs of a trapped CPU interface. */
#define VGIC_LINE_IRQ BIT32(0)
#define VGIC_LINE_FIQ BIT32(1)

/*
 * How candidates reach the guest, one for the life of a VM.  The lock is held; `here` as
 * in vgic_is_here().
 */
struct vgic_delivery {
	uint32_t hcr; /* vgic_cpu.hcr after a reset */
	/* What the guest has done since, back into the model; only of a vCPU that is here. */
	void (*fold)(struct vgic *g, uint32_t vcpu);
	/* After a fold: the interface as the model wants it, in hardware too if here. */
	void (*apply)(struct vgic *g, uint32_t vcpu);
	/* The vCPU's state comes into this core's registers / leaves them for cpu. */
	void (*enter)(struct vgic *g, uint32_t vcpu);
	void (*leave)(struct vgic *g, uint32_t vcpu);
	/* After apply: would an interrupt be signalled? */
	bool (*signals)(struct vgic *g, uint32_t vcpu);
	/* The vCPU is not loaded: what the interface holds goes back into the model. */
	void (*clear)(struct vgic *g, uint32_t vcpu);
	/*
	 * Short ways for a private interrupt of the vCPU that is here, if it is loaded;
	 * false: not simple enough, nothing done.  They kick nobody.
	 */
	bool (*sgi)(struct vgic *g, uint32_t vcpu, uint32_t intid, uint32_t source);
	bool (*inject_hw)(struct vgic *g, uint32_t vcpu, uint32_t intid, uint32_t host_irq);
};

struct vgic_ack {
	uint32_t irq;
	bool due;
	void (*fn)(void *arg);
	void *arg;
};

struct vgic {
	struct vic vic;
	struct vdev dist;
	struct vdev redist;
	struct vdev cpuif; /* V2 with a trapped interface: GICC */
	struct spinlock lock;
	uint32_t here;	/* vCPU whose list registers this core may touch now, or NO_VCPU */
	uint32_t kicks; /* vCPUs to be told at unlock */
	bool acks_due;
	uint32_t ctlr; /* GICD_CTLR: the group enables */

	/* Constant after init. */
	enum vgic_kind kind;
	const struct vgic_delivery *out;
	uint32_t words;	 /* banks in use, 1..32 */
	uint32_t lr_all; /* 0: none is used */
	uint8_t prio_mask;
	uint32_t typer;
	const struct gich *gich;
	struct vgic_range gicd;
	struct vgic_range gicc;
	uint32_t redist_count;
	uint32_t redist_shift; /* log2 of the stride */
	struct vgic_range range[VGIC_MAX_REDISTS];
	uint32_t redist_first[VGIC_MAX_REDISTS + 1]; /* vCPU index; [count] = vCPUs */

	uint32_t ack_count;
	struct vgic_ack acks[VGIC_MAX_ACKS];
	uint8_t target[VGIC_WORDS * 32];      /* V2: GICD_ITARGETSR of SPIs */
	uint64_t router[VGIC_WORDS * 32];     /* V3: GICD_IROUTER */
	struct vgic_bank spi[VGIC_WORDS - 1]; /* banks 1.. */
	struct vgic_cpu cpu[];
};

static inline struct vgic_bank *vgic_bank(struct vgic *g, uint32_t vcpu, uint32_t word)
{
	return word == 0 ? &g->cpu[vcpu].priv : &g->spi[word - 1];
}

/* Of a bank: INTIDs whose group is enabled in GICD_CTLR. */
static inline uint32_t vgic_group_on(const struct vgic *g, const struct vgic_bank *b)
{
	uint32_t on0 = (g->ctlr & GICD_CTLR_GRP0) != 0 ? ~b->group : 0;
	uint32_t on1 = (g->ctlr & GICD_CTLR_GRP1) != 0 ? b->group : 0;

	return on0 | on1;
}

/* The lowest bit of *mask, taken out of it; *mask is not 0. */
static inline uint32_t vgic_take_bit(uint32_t *mask)
{
	uint32_t bit = (uint32_t)__builtin_ctz(*mask);

	*mask &= *mask - 1;
	return bit;
}

/* The vCPU's list registers can be read and written in this call. */
static inline bool vgic_is_here(const struct vgic *g, uint32_t vcpu)
{
	return g->here == vcpu && g->cpu[vcpu].loaded;
}

/* Delivery is by list registers, not by a trapped interface and its lines. */
static inline bool vgic_has_lists(const struct vgic *g)
{
	return g->lr_all != 0;
}

/* List registers (or lines) of the vCPU have to be looked at before it runs on. */
static inline void vgic_touch(struct vgic *g, uint32_t vcpu)
{
	g->cpu[vcpu].dirty = true;
	g->kicks |= BIT32(vcpu);
}

static inline bool vgic_is_sgi_v2(const struct vgic *g, uint32_t intid)
{
	return intid < VGIC_SGIS && g->kind == VGIC_V2;
}

/* vgic.c: host interrupts are masked; `here` is a vCPU or VGIC_NO_VCPU. */
static inline void vgic_lock(struct vgic *g, uint32_t here)
{
	spin_lock(&g->lock);
	g->here = here;
}
/* The rest of vgic_unlock() when there are kicks or acknowledge callbacks. */
void vgic_unlock_work(struct vgic *g);

/* Applies changes to vCPUs at hand, kicks the others, calls acknowledge callbacks. */
static inline void vgic_unlock(struct vgic *g)
{
	if (unlikely((g->kicks | g->acks_due) != 0)) {
		vgic_unlock_work(g);
	} else {
		spin_unlock(&g->lock);
	}
}

/* Something about INTIDs `mask` of a bank changed: candidates follow, LRs are touched. */
void vgic_changed(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask);
/* Only the candidates. */
void vgic_update(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask);
/* GICD_CTLR has changed: everything. */
void vgic_changed_all(struct vgic *g);
/* GICD_ITARGETSR / IROUTER of an SPI has changed. */
void vgic_reroute(struct vgic *g, uint32_t word, uint32_t bit);
/* Software makes INTIDs pending / not pending / active / not active. */
void vgic_set_pending(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask);
void vgic_clear_pending(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask);
void vgic_set_active(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask);
void vgic_clear_active(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask);
/* An SGI from `source` becomes pending at `vcpu`; the lock is held, enough is checked. */
void vgic_sgi(struct vgic *g, uint32_t vcpu, uint32_t intid, uint32_t source);
/* The host interrupt linked to an INTID is deactivated, the link is gone. */
void vgic_hw_end(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t bit);
/* An INTID was deactivated: notes who wants to hear of it. */
void vgic_note_ack(struct vgic *g, uint32_t intid);
/* To the state after power-on: bank 0 and CPU interface of one vCPU. */
void vgic_reset_private(struct vgic *g, uint32_t vcpu);

/* vgic_cpu.c: sets, and vCPUs that come on a core and leave it. */
void vgic_set_add(struct vgic_set *s, uint32_t word, uint32_t bit);
void vgic_set_remove(struct vgic_set *s, uint32_t word, uint32_t bit);
/* The INTID of highest priority (of those the lowest); its priority or VGIC_PRIO_NONE. */
uint32_t vgic_set_top(struct vgic *g, uint32_t vcpu, struct vgic_set *s, uint32_t *intid);
/* Folds, gives up host interrupts that others have ended, and delivers. */
void vgic_apply(struct vgic *g, uint32_t vcpu);
void vgic_load(struct vic *vic, uint32_t vcpu);
void vgic_save(struct vic *vic, uint32_t vcpu);
void vgic_sync(struct vic *vic, uint32_t vcpu);
bool vgic_pending(struct vic *vic, uint32_t vcpu);

/* vgic_lr.c, vgic_gicc.c */
extern const struct vgic_delivery vgic_lr_delivery;
extern const struct vgic_delivery vgic_gicc_delivery;
extern const struct vdev_ops vgic_gicc_ops;

static inline void vgic_fold(struct vgic *g, uint32_t vcpu)
{
	g->out->fold(g, vcpu);
}

/* vgic_dist.c: registers that the distributor and the redistributors share. */
enum vgic_breg {
	VGIC_IGROUPR,
	VGIC_ISENABLER,
	VGIC_ICENABLER,
	VGIC_ISPENDR,
	VGIC_ICPENDR,
	VGIC_ISACTIVER,
	VGIC_ICACTIVER,
};

#define GICD_IGROUPR	0x080u
#define GICD_ISENABLER	0x100u
#define GICD_ISPENDR	0x200u
#define GICD_IPRIORITYR 0x400u
#define GICD_ITARGETSR	0x800u
#define GICD_ICFGR	0xc00u
#define GICD_ICFGR_END	0xd00u

/*
 * An access at `offset` within [GICD_IGROUPR, GICD_ICFGR_END) except ITARGETSR, on
 * behalf of vCPU `vcpu`'s bank 0, limited to the banks [first, end): others read as
 * zero.  The lock is held.  Returns what is read.
 */
uint32_t vgic_bank_access(struct vgic *g, uint32_t vcpu, uint32_t first, uint32_t end,
			  const struct vdev_access *a, uint32_t offset);

/*
 * The common reads that need no lock, a word of a distributor: GICD_CTLR's group
 * enables, GICD_TYPER, GICD_IGROUPR, GICD_I[SC]ENABLER of the banks [first, words).
 */
static inline bool vgic_peek(struct vgic *g, const struct vdev_access *a, uint32_t first,
			     uint64_t *value)
{
	uint32_t word = (uint32_t)a->offset / 4 % 32;
	const struct vgic_bank *b;

	if (a->offset < 8) {
		*value = a->offset == 0 ? __atomic_load_n(&g->ctlr, __ATOMIC_RELAXED) : g->typer;
		return true;
	}
	if (a->offset < GICD_IGROUPR || a->offset >= GICD_ISPENDR || word < first ||
	    word >= g->words) {
		return false;
	}
	b = vgic_bank(g, a->vcpu, word);
	*value = __atomic_load_n(a->offset < GICD_ISENABLER ? &b->group : &b->enabled,
				 __ATOMIC_RELAXED);
	return true;
}

/* vgic_v2.c, vgic_v3.c */
extern const struct vdev_ops vgic_v2_dist_ops;
extern const struct vdev_ops vgic_v3_dist_ops;
extern const struct vdev_ops vgic_v3_redist_ops;
uint32_t vgic_v2_typer(const struct vgic *g);
uint32_t vgic_v3_typer(const struct vgic *g);
/* The vCPUs that an SPI's GICD_ITARGETSR / IROUTER names, as a set. */
uint32_t vgic_v2_targets(const struct vgic *g, uint32_t intid);
uint32_t vgic_v3_targets(const struct vgic *g, uint32_t intid);
/* vdev_ops that do nothing: the vic's reset and destroy do the work. */
void vgic_vdev_nop(struct vdev *dev);

#endif
