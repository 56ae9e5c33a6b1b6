# SPDX-License-Identifier: Apache-2.0
# What people type.  `make help` lists it; the work is done in mk/.
#
#   mk/config.mk     variables, their defaults, which architecture
#   mk/deps.mk       installs what the machine lacks (Debian packages)
#   mk/third.mk      third-party sources, pinned by version and hash
#   mk/host.mk       programs that run on the build machine (axvmconfig)
#   mk/arch-*.mk     one architecture: tool chain, flags, QEMU machine
#   mk/image.mk      the hypervisor image
#   mk/qemu.mk       disk image, QEMU command line, debugger
#   mk/unit.mk       unit tests and fuzz targets
#   mk/test.mk       checks, system tests, and all of it
#   mk/bench.mk      instructions per exit
#   mk/guests.mk     guests that our own configurations name

all: build

include mk/config.mk
include mk/deps.mk
include mk/third.mk
include mk/host.mk
-include mk/arch-$(ARCH).mk
include mk/image.mk
include mk/qemu.mk
include mk/unit.mk
include mk/test.mk
include mk/bench.mk
-include mk/guests.mk
-include mk/hvtest.mk

help:
	@cat mk/help.txt

clean:
	rm -rf $(filter-out $(DL) $(BUILD)/deps $(BUILD)/guests,$(wildcard $(BUILD)/*))

# Downloads, guests and notes about installed packages as well; never disk.img.
distclean:
	rm -rf $(BUILD)

.PHONY: all help clean distclean
.DELETE_ON_ERROR:
.SUFFIXES:
