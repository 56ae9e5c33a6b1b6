# SPDX-License-Identifier: Apache-2.0
# What each group of targets needs of the machine; mk/deps.sh holds the lists and
# installs.  A note in build/deps makes the second time free.

deps-%: $(BUILD)/deps/% ;

$(BUILD)/deps/%: mk/deps.sh
	@sh mk/deps.sh $*
	@mkdir -p $(@D)
	@touch $@
.PRECIOUS: $(BUILD)/deps/%
