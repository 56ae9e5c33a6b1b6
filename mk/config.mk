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
# or, failing that, their contents say; else x86_64, as upstream.
ifeq ($(strip $(VM_CONFIGS)),)
  ARCH		?= aarch64
  SMP		?= 2
  DEMO		:= y
  override VM_CONFIGS := configs/vms/demo-linux-$(ARCH).toml:configs/vms/demo-arceos-$(ARCH).toml
else ifeq ($(strip $(ARCH)),)
  arch_words	= $(foreach a,$(ARCHES),$(findstring $a,$1))
  ARCH		:= $(firstword $(call arch_words,$(VM_CONFIGS)) \
		     $(call arch_words,$(shell cat $(subst :, ,$(VM_CONFIGS)) 2>/dev/null)) x86_64)
  ifeq ($(MAKELEVEL),0)
    $(info ARCH not given: $(ARCH), from VM_CONFIGS=$(VM_CONFIGS))
  endif
endif
SMP	?= 1
comma	:= ,
empty	:=
space	:= $(empty) $(empty)

VM_CONFIG_FILES := $(subst :, ,$(VM_CONFIGS))

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
