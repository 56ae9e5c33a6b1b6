/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a device tree: no access outside them, no endless loop, and a result
 * that keeps what machine.h promises.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <hv/machine.h>
#include <hv/rangeset.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok) {
		abort();
	}
}

static void check_range(const struct machine_range *r)
{
	check(r->size != 0 && r->base.a < BIT64(48) && r->size <= BIT64(48) - r->base.a);
}

static struct machine m;
static struct rangeset ram;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct machine_boot boot = { .hwid = 0, .dtb = hpa(0x40000000) };
	void *copy = aligned_alloc(8, ALIGN_UP(size + 1, 8));

	/* Right-aligned in its allocation as far as alignment allows. */
	memcpy(copy, data, size);
	if (machine_from_fdt(&m, copy, size, &boot) != 0) {
		check(m.error[0] != '\0');
		free(copy);
		return 0;
	}
	check(m.cpu_count >= 1 && m.cpu_count <= MAX_CPUS && m.cpu[0].hwid == boot.hwid);
	check(m.bank_count >= 1);
	for (uint32_t i = 0; i < m.bank_count; i++) {
		check_range(&m.bank[i]);
		for (uint32_t j = 0; j < i; j++) {
			check(!ranges_overlap(m.bank[i].base.a, m.bank[i].size, m.bank[j].base.a,
					      m.bank[j].size));
		}
	}
	for (uint32_t i = 0; i < m.reserved_count; i++) {
		check_range(&m.reserved[i].range);
	}
	for (uint32_t i = 0; i < m.virtio_count; i++) {
		check_range(&m.virtio[i].range);
	}
	for (uint32_t i = 0; i < m.pci_count; i++) {
		check(m.pci[i].bus_first <= m.pci[i].bus_last && m.pci[i].bus_last <= 255);
		check((m.pci[i].bus_last - m.pci[i].bus_first + 1) * MiB <= m.pci[i].ecam.size);
	}
	check(machine_console(&m) == NULL || strlen(machine_console(&m)->path) < MACHINE_PATH_MAX);
	if (machine_usable_ram(&m, &ram) == 0) {
		for (uint32_t i = 0; i < m.reserved_count; i++) {
			check(rangeset_overlap(&ram, m.reserved[i].range.base.a,
					       m.reserved[i].range.size) == NULL);
		}
	}
	free(copy);
	return 0;
}
