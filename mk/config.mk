# SPDX-License-Identifier: Apache-2.0
# Variables that users set, their defaults, and which architecture is meant.
#
# Upstream's other variables (MODE, A, NET, APP_FEATURES, ...) mean nothing here;
# make accepts any NAME=value, so they need no line.

BUILD	:= build
DL	?= $(BUILD)/dl
PYTHON	?= /usr/bin/python3
# mkfs.fat lives in sbin, which a user's PATH may lack.
export PATH := $(PATH):/usr/sbin:/sbin

LOG	?= warn
MEM	?= 4G
GIC	?= 2
BLK	?= y
BUS	?= pci
DISK_IMG ?= disk.img
SECOND_SERIAL ?= n
TELNET_PORT ?= 4321

ARCHES	:= aarch64 riscv64 x86_64

# Without VM_CONFIGS: our demo.  With VM_CONFIGS and no ARCH: what the files' names
# or, failing that, the first one's contents say; else x86_64, as upstream.
ifeq ($(strip $(VM_CONFIGS)),)
  ARCH		?= aarch64
  SMP		?= 2
  override VM_CONFIGS := configs/vms/demo-linux-$(ARCH).toml:configs/vms/demo-arceos-$(ARCH).toml
endif
VM_CONFIG_FILES := $(subst :, ,$(VM_CONFIGS))
ifeq ($(strip $(ARCH)),)
  ARCH		:= $(firstword $(foreach a,$(ARCHES),$(if $(findstring $a,$(notdir $(VM_CONFIG_FILES))),$a)))
  ifeq ($(ARCH),)
    # axvmconfig knows; it is the same program whatever ARCH is.
    ARCH	:= $(shell { MAKEFLAGS= $(MAKE) -s --no-print-directory ARCH=aarch64 DL='$(DL)' axvmconfig >&2 && \
		     $(BUILD)/host/axvmconfig arch $(firstword $(VM_CONFIG_FILES)); } || echo failed)
    ifneq ($(filter failed,$(ARCH)),)
      $(error ARCH is not given, and $(firstword $(VM_CONFIG_FILES)) could not tell it)
    endif
    ARCH	:= $(or $(ARCH),x86_64)
  endif
  ifeq ($(MAKELEVEL),0)
    $(info ARCH not given: $(ARCH), for VM_CONFIGS=$(VM_CONFIGS))
  endif
endif
SMP	?= 1

ifeq ($(filter $(ARCH),$(ARCHES)),)
  $(error ARCH=$(ARCH) is not an architecture; there are: $(ARCHES))
endif
log_levels := off error warn info debug trace
ifeq ($(filter $(LOG),$(log_levels)),)
  $(error LOG=$(LOG) is not a log level; there are: $(log_levels))
endif

OUT	:= $(BUILD)/$(ARCH)

# V=1 shows whole command lines, anything else one short line a file.
ifeq ($(V),1)
  Q	:=
  say	= @:
else
  Q	:= @
  say	= @printf '  %-7s %s\n' $1 $2
endif

# $(call remember,FILE,TEXT): a rule for FILE, rewritten only when TEXT has changed,
# so that what depends on FILE is rebuilt exactly then.
define remember
$1: FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(subst ','\'',$2)' | cmp -s - $$@ || printf '%s\n' '$(subst ','\'',$2)' >$$@
endef
FORCE:
.PHONY: FORCE
