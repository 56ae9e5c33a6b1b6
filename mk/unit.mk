# SPDX-License-Identifier: Apache-2.0
# Host tests of the pure sources (mk/host.mk), with fakes for the rest
# (tests/unit/fake_*.c): unit tests with cmocka, fuzz targets with libFuzzer.

# --- unit tests: pure sources and fakes, under ASan and UBSan ---
UNIT	:= $(BUILD)/unit
SAN	:= -fsanitize=address,undefined -fno-sanitize-recover=all
UNIT_CFLAGS = -O1 -fno-omit-frame-pointer $(HOST_CFLAGS) -Itests/unit -I. -DTEST_DATA='"$(UNIT)/data"'
# Fakes first: what stands in for a function is found before the function.
UNIT_LIB_SRC := $(wildcard tests/unit/fake_*.c) $(PURE_SRC) $(THIRD_SRC)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
# objects of a list of sources in a folder
objs_in	= $(patsubst %.c,$1/obj/%.o,$(patsubst $(DL)/%,third/%,$2))
UNIT_LIB_OBJ := $(call objs_in,$(UNIT),$(UNIT_LIB_SRC))
UNIT_BIN := $(patsubst tests/unit/%.c,$(UNIT)/%,$(UNIT_SRC))

$(eval $(call remember,$(UNIT)/flags,$(HOSTCC) $(SAN) $(UNIT_CFLAGS)))
$(eval $(call remember,$(UNIT)/objects,$(UNIT_LIB_OBJ)))

$(UNIT)/obj/third/%.o: $(DL)/%.c $(UNIT)/flags | deps-host deps-unit $(THIRD)
	@mkdir -p $(@D)
	$(call say,UNITCC,$(<F))
	$(Q)$(HOSTCC) $(SAN) $(UNIT_CFLAGS) $(THIRD_CFLAGS) -c $< -o $@

$(UNIT)/obj/%.o: %.c $(UNIT)/flags | deps-host deps-unit $(THIRD)
	@mkdir -p $(@D)
	$(call say,UNITCC,$<)
	$(Q)$(HOSTCC) $(SAN) $(UNIT_CFLAGS) -c $< -o $@

$(UNIT)/libpure.a: $(UNIT_LIB_OBJ) $(UNIT)/objects
	$(Q)rm -f $@ && ar rcs $@ $(UNIT_LIB_OBJ)

$(UNIT)/test_%: $(UNIT)/obj/tests/unit/test_%.o $(UNIT)/libpure.a
	$(call say,UNITLD,$@)
	$(Q)$(HOSTCC) $(SAN) $^ -lcmocka -o $@

# Device trees that tests read, in the form that firmware hands over.
UNIT_DTB := $(patsubst tests/unit/data/%.dts,$(UNIT)/data/%.dtb,$(wildcard tests/unit/data/*.dts))
$(UNIT)/data/%.dtb: tests/unit/data/%.dts | deps-unit
	@mkdir -p $(@D)
	$(call say,DTC,$<)
	$(Q)dtc -q -I dts -O dtb -o $@ $<
$(UNIT_BIN): | $(UNIT_DTB) deps-disk

.SECONDARY: $(UNIT_BIN:$(UNIT)/%=$(UNIT)/obj/tests/unit/%.o)

# make unit T=vgic: that one test, with cmocka's own output.
ifdef T
unit: $(UNIT)/test_$(T)
	$<
else
unit: $(UNIT_BIN)
	$(Q)$(PYTHON) tools/hosttest.py --name unit --cmocka --results $(RESULTS) $(UNIT_BIN)
endif
unittest: unit

-include $(UNIT_LIB_OBJ:.o=.d) $(UNIT_BIN:$(UNIT)/%=$(UNIT)/obj/tests/unit/%.d)

# --- fuzz targets: a short deterministic run of each ---
FUZZ	:= $(BUILD)/fuzz
FUZZ_SAN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FUZZ_RUNS ?= 20000
FUZZ_SECONDS ?= 5
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_BIN := $(patsubst tests/fuzz/%.c,$(FUZZ)/%,$(FUZZ_SRC))
FUZZ_LIB_OBJ := $(call objs_in,$(FUZZ),$(UNIT_LIB_SRC))

$(eval $(call remember,$(FUZZ)/flags,clang $(FUZZ_SAN) $(UNIT_CFLAGS)))
$(eval $(call remember,$(FUZZ)/objects,$(FUZZ_LIB_OBJ)))

$(FUZZ)/obj/third/%.o: $(DL)/%.c $(FUZZ)/flags | deps-fuzz $(THIRD)
	@mkdir -p $(@D)
	$(call say,FUZZCC,$(<F))
	$(Q)clang $(FUZZ_SAN) $(UNIT_CFLAGS) $(THIRD_CFLAGS) -c $< -o $@

$(FUZZ)/obj/%.o: %.c $(FUZZ)/flags | deps-fuzz $(THIRD)
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)clang $(FUZZ_SAN) $(UNIT_CFLAGS) -c $< -o $@

$(FUZZ)/libpure.a: $(FUZZ_LIB_OBJ) $(FUZZ)/objects
	$(Q)rm -f $@ && ar rcs $@ $(FUZZ_LIB_OBJ)

$(FUZZ)/fuzz_%: $(FUZZ)/obj/tests/fuzz/fuzz_%.o $(FUZZ)/libpure.a
	$(call say,FUZZLD,$@)
	$(Q)clang -fsanitize=fuzzer,address,undefined $^ -o $@

.SECONDARY: $(FUZZ_BIN:$(FUZZ)/%=$(FUZZ)/obj/tests/fuzz/%.o)

# make fuzz T=toml FUZZ_SECONDS=600: one target, longer.
fuzz: $(if $(T),$(FUZZ)/fuzz_$(T),$(FUZZ_BIN))
	$(Q)$(PYTHON) tools/hosttest.py --name fuzz --fuzz-seconds $(FUZZ_SECONDS) \
		--fuzz-runs $(FUZZ_RUNS) --results $(RESULTS) $^

-include $(FUZZ_LIB_OBJ:.o=.d) $(FUZZ_BIN:$(FUZZ)/%=$(FUZZ)/obj/tests/fuzz/%.d)

.PHONY: unit unittest fuzz
