# cloudvip: everything is built from here; one file, explicit source lists.
#
#   make                the programs, below build/bin
#   make check          lint, unit, contract, integration and end-to-end tests; ends in "N passed, N failed, N skipped"
#   make unit|contract|integration|e2e|lint|tidy|fuzz     one part of it
#   make demo           a failover to look at, on a simulated cloud
#   make lab            real clusters whose nodes die while a client keeps talking; pictures below build/lab
#   make bench          the kit beside the stock agents
#   make install        DESTDIR and PREFIX are honoured
#   make VARIANT=asan … the same with AddressSanitizer and UBSan, below build/asan

VERSION := 0.1.0
PREFIX ?= /usr
SBINDIR ?= $(PREFIX)/sbin
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec
SYSCONFDIR ?= /etc
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/cloudvip
MANDIR ?= $(DATADIR)/man
OCFDIR ?= $(PREFIX)/lib/ocf
LKROOT ?= /opt/LifeKeeper
BASHDIR ?= $(DATADIR)/bash-completion
STATEDIR ?= /var/lib
UNITDIR ?= $(PREFIX)/lib/systemd/system
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d

CC ?= cc
AR ?= ar
PYTHON ?= python3
PKG_CONFIG ?= pkg-config
CFLAGS ?= -O2 -g
VARIANT ?=
WERROR ?= -Werror
B := build$(if $(VARIANT),/$(VARIANT))

# A packager's flags come last and are never replaced; ours stand beside them.
own_cflags := -std=gnu11 -D_GNU_SOURCE -fPIC -fstack-protector-strong -fno-common -ffile-prefix-map=$(CURDIR)=. \
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
	-Wwrite-strings -Wvla -Wformat=2 -Wundef $(WERROR)
own_ldflags := -pie -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,-O1
own_cppflags := -I. -DCLOUDVIP_VERSION='"$(VERSION)"'

ifeq ($(VARIANT),asan)
own_cflags += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
own_ldflags += -fsanitize=address,undefined
else ifeq ($(VARIANT),tsan)
own_cflags += -fsanitize=thread
own_ldflags += -fsanitize=thread
else ifeq ($(VARIANT),cov)
own_cflags += --coverage -O0
own_ldflags += --coverage
else ifeq ($(VARIANT),fuzz)
CC := clang
own_cflags += -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
own_ldflags += -fsanitize=address,undefined
else
own_cppflags += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif

# ---- sources, room by room ---------------------------------------------------------------------
kit_base := err mem buf str near clock secret
kit_sys := file lock proc link hostid rtnl ifaddr netlink arp dhcp route iprule
kit_sys += pid ethtool rps
kit_fmt := json xml uri hex time addr ini
kit_net := http exchange message trust hmac
kit_conf := schema lists load check redact
kit_cloud := call facts me ops ops_words ops_change token nic registry metadata creds creds_fetch sign refusal
kit_cloud_aws := session creds creds_profile creds_process creds_container words profile sts imds endpoint sign query ec2 errors route_table route_search elastic_ip nic private_ip private_ip_move eni eni_move host_nic
kit_cloud += policy
kit_cloud_aws += advice policy
kit_cloud_aliyun := session me creds creds_host creds_profile creds_process profile sts metadata endpoint sign rpc answer errors ecs elastic_ip eip_round eip_move eip_claim eip_rules route_table route_search route_entry route_change private_ip private_ip_move eni eni_rules eni_move quota havip havip_bind havip_claim havip_rules vswitch host_nic
kit_cloud_aliyun += eip_advice eip_host policy
kit_cloud_aliyun += ops ops_havip ops_havip_bind ops_havip_delete ops_havip_eip ops_havip_rules
kit_cloud_aws += ops ops_eip egress
kit_cloud_aliyun += ops_eip ops_eip_bind convert egress egress_facts egress_rules egress_change
kit_cloud_aws += instance ops_eni ops_eni_read ops_eni_attach ops_eni_modify ops_eni_rules
kit_cloud_aliyun += ops_eni ops_eni_attach ops_eni_modify ops_eni_rules
kit_vip := where plan apply verify record local
kit_host := change now choose plan state persist persist_networkd persist_nm persist_wicked persist_ifcfg persist_ifupdown
lua := klua klua_answer klua_child klua_sandbox klua_value klua_api klua_reach
actions_act := act hooks hooks_act hooks_facts hooks_choose args local log session restore remove quick_check recover validate
actions_manager := manager person lifekeeper ocf ocf_agent ocf_meta
actions_act += turn
actions_manager += keepalived lcdi lifekeeper_admin
actions_ctl := ctl complete survey check prometheus status plan ops ops_help ops_show callers
actions_ctl += policy
actions_ctl += nic nic_setup nic_moving nic_unset nic_queues
actions_ctl += hooks hooks_test
actions_ctl += egress egress_steps egress_show egress_state egress_echo egress_host egress_look

rooms := kit/base kit/sys kit/fmt kit/net kit/conf kit/cloud kit/cloud/aws kit/cloud/aliyun kit/vip kit/host lua
objs = $(foreach m,$($(subst /,_,$(1))),$(B)/$(1)/$(m).o)
kit_objs := $(foreach r,$(rooms),$(call objs,$(r)))
act_objs := $(actions_act:%=$(B)/actions/%.o) $(actions_manager:%=$(B)/actions/manager/%.o)
ctl_objs := $(actions_ctl:%=$(B)/actions/ctl/%.o)

actions := restore remove quickCheck recover
programs := $(actions:%=$(B)/bin/%) $(B)/bin/cloudvip

# Lua 5.4 goes by another name in each distribution.
pkg_lua := $(firstword $(foreach p,lua5.4 lua-5.4 lua54 lua,$(shell $(PKG_CONFIG) --exists '$(p) >= 5.4' && echo $(p))) lua5.4)
pkgs_kit := libcurl libcrypto json-c libxml-2.0 inih libmnl $(pkg_lua)
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(pkgs_kit) 2>/dev/null)
pkg_libs := $(shell $(PKG_CONFIG) --libs $(pkgs_kit) 2>/dev/null)

.PHONY: all check unit contract integration e2e lint tidy analyze fuzz demo bench install install-sim clean format help
.DELETE_ON_ERROR:
all: $(programs) $(B)/bin/cloudsim

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(own_cppflags) $(CPPFLAGS) $(own_cflags) $(pkg_cflags) $(CFLAGS) -MMD -MP -c $< -o $@

$(B)/libkit.a: $(kit_objs)
	@rm -f $@
	$(AR) rcsD $@ $^

$(B)/libact.a: $(act_objs)
	@rm -f $@
	$(AR) rcsD $@ $^

# The command but for its main: for its tests.
$(B)/libctl.a: $(filter-out %/ctl.o,$(ctl_objs))
	@rm -f $@
	$(AR) rcsD $@ $^

# `make` and then `make install PREFIX=…`: what holds the place is made anew.
.PHONY: always
$(B)/places: always
	@mkdir -p $(@D)
	@printf '%s\n' '$(DATADIR)' | cmp -s - $@ || printf '%s\n' '$(DATADIR)' >$@
$(B)/actions/hooks.o: $(B)/places
$(B)/actions/hooks.o: own_cppflags += -DCLOUDVIP_DATADIR='"$(DATADIR)/cloudvip"'

# One main, compiled once an action.
define action_rule
$(B)/actions/main_$(1).o: actions/main.c
	@mkdir -p $$(@D)
	$$(CC) $$(own_cppflags) $$(CPPFLAGS) -DACTION=$(2) $$(own_cflags) $$(CFLAGS) -MMD -MP -c $$< -o $$@
$(B)/bin/$(1): $(B)/actions/main_$(1).o $(B)/libact.a $(B)/libkit.a
	@mkdir -p $$(@D)
	$$(CC) $$(own_ldflags) $$(LDFLAGS) $$(CFLAGS) -o $$@ $$^ $$(pkg_libs)
endef
$(eval $(call action_rule,restore,act_restore))
$(eval $(call action_rule,remove,act_remove))
$(eval $(call action_rule,quickCheck,act_quick_check))
$(eval $(call action_rule,recover,act_recover))

$(B)/bin/cloudvip: $(B)/actions/ctl/ctl.o $(B)/libctl.a $(B)/libact.a $(B)/libkit.a
	@mkdir -p $(@D)
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(pkg_libs)

# >>> cloudsim (a program of its own: nothing of kit/)
sim_src := sim_main sim_http sim_segment sim_serve sim_control sim_fault sim_fault_type sim_log sim_world sim_clouds sim_json sim_text sim_buf \
	sim_net sim_path sim_netlink sim_dataplane sim_policy aws_path aws_cloud aws_world aws_event aws_param aws_xml aws_sigv4 aws_iam aws_sts aws_imds aws_ec2 \
	aws_ec2_filter aws_ec2_route aws_ec2_table aws_ec2_address aws_ec2_eni aws_ec2_attach aws_ec2_ip \
	aws_ec2_instance aws_ec2_vpc aws_ec2_group aws_ec2_misc \
	ali_cloud ali_path ali_serve ali_object ali_world ali_event ali_sign ali_imds ali_sts ali_route ali_eip ali_eip_more \
	ali_havip ali_eni ali_eni_list ali_ip ali_instance ali_vpc ali_snat
sim_objs := $(sim_src:%=$(B)/tests/sim/%.o)
sim_libs := $(shell $(PKG_CONFIG) --libs libmicrohttpd json-c libcrypto libmnl 2>/dev/null)
$(B)/bin/cloudsim: $(sim_objs)
	@mkdir -p $(@D)
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(sim_libs) -lm -pthread
# <<< cloudsim

# ---- tests -------------------------------------------------------------------------------------
unit_tests := $(basename $(notdir $(wildcard tests/unit/*.c)))
unit_bins := $(unit_tests:%=$(B)/tests/unit/%)
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libctl.a $(B)/libact.a $(B)/libkit.a
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(pkg_libs) -lcmocka

# >>> http_client
$(B)/tests/integration/http_client: $(B)/tests/integration/http_client.o $(B)/libkit.a
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(pkg_libs)
tests-built: $(B)/tests/integration/http_client
# <<< http_client

# >>> the lab: clusters of namespaces, a cloudsim whose routes are real, a client that counts.
# LABFLAGS: see tests/e2e/lab/run -h
LABFLAGS ?=
$(B)/tests/e2e/lab/packets: $(B)/tests/e2e/lab/packets.o
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^
tests-built: $(B)/tests/e2e/lab/packets
.PHONY: lab
lab: all $(B)/tests/e2e/lab/packets
	BUILD=$(B) $(PYTHON) tests/e2e/lab/run $(LABFLAGS)
# <<< the lab

fuzz_targets := $(basename $(notdir $(wildcard tests/fuzz/*.c)))

# >>> test targets
# The runner adds everything up: its last line is "N passed, N failed, N skipped".
#   make unit TESTFLAGS='-k base_*'     only these;  -v shows the output of passing programs too
TESTFLAGS ?=
FUZZ_SECONDS ?= 30
run_tests = VARIANT=$(VARIANT) tests/run $(TESTFLAGS)
c_sources := $(shell find kit lua actions tests -name '*.[ch]' 2>/dev/null)

.PHONY: tests-built print-compile print-link
tests-built: all man $(unit_bins)

# Memory errors show where real work is done: everything but lint and the clients of the simulated
# cloud runs a second time with the sanitizers.
check:
	+$(MAKE) VARIANT= tests-built
	+$(MAKE) VARIANT=asan tests-built
	VARIANT= tests/run $(TESTFLAGS) lint unit contract integration e2e asan:unit asan:integration asan:e2e

unit integration: tests-built
	$(run_tests) $@
contract e2e: all $(B)/tests/e2e/lab/packets
	$(run_tests) $@
lint: all man
	$(run_tests) $@

tidy:
	tests/lint/tidy
analyze:
	tests/lint/cppcheck
	tests/lint/analyze
format:
	clang-format -i $(c_sources)

fuzz_bins := $(fuzz_targets:%=$(B)/tests/fuzz/%)
$(fuzz_bins): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libctl.a $(B)/libact.a $(B)/libkit.a
	$(CC) $(own_ldflags) -fsanitize=fuzzer $(LDFLAGS) $(CFLAGS) -o $@ $^ $(pkg_libs)

# Each target for FUZZ_SECONDS, from tests/fuzz/TARGET.seeds and tests/fuzz/corpus/TARGET if they are
# there; what it finds new is kept below build/fuzz, what crashes stops it.
.PHONY: fuzz-run
fuzz:
	+$(MAKE) VARIANT=fuzz fuzz-run
fuzz-run: $(fuzz_bins)
	@[ -n "$(fuzz_targets)" ] || { echo 'tests/fuzz has no targets' >&2; exit 1; }
	@set -e; for t in $(fuzz_targets); do \
		echo "fuzz $$t, $(FUZZ_SECONDS) s"; \
		mkdir -p $(B)/corpus/$$t; \
		seeds=$$(ls -d tests/fuzz/$$t.seeds tests/fuzz/corpus/$$t 2>/dev/null || true); \
		$(B)/tests/fuzz/$$t -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=1024 -verbosity=0 \
			-print_final_stats=1 -artifact_prefix=$(B)/corpus/$$t- $(B)/corpus/$$t $$seeds; \
	done

# For the lint programs: how a source is compiled, how a program is linked.
print-compile:
	@printf '%s\n' '$(subst ','\'',$(own_cppflags) $(CPPFLAGS) $(own_cflags) $(pkg_cflags) $(CFLAGS))'
print-link:
	@printf '%s\n' '$(own_ldflags) $(LDFLAGS) $(pkg_libs)'

# Object files of tests are kept: make would take them for intermediate ones.
.SECONDARY: $(unit_tests:%=$(B)/tests/unit/%.o) $(fuzz_targets:%=$(B)/tests/fuzz/%.o)
# <<< test targets

# ---- install -----------------------------------------------------------------------------------
# cloudsim is no part of a node: install-sim puts it elsewhere if it is wanted.
install: $(programs)
	install -d $(DESTDIR)$(LIBEXECDIR)/cloudvip $(DESTDIR)$(SBINDIR) $(DESTDIR)$(DOCDIR)/examples
	install -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/cloudvip/resources.d
	install -m 0755 $(actions:%=$(B)/bin/%) $(DESTDIR)$(LIBEXECDIR)/cloudvip
	install -m 0755 $(B)/bin/cloudvip $(DESTDIR)$(SBINDIR)
	set -e; for page in README.md README.ja.md; do \
		sed 's|(packaging/conf/|(|g; s|(packaging/ocf/|(pacemaker/|g; s|(packaging/\([lk]\)|(\1|g; s|(hooks/|($(DATADIR)/cloudvip/hooks/|g' \
			$$page >$(DESTDIR)$(DOCDIR)/$$page; chmod 0644 $(DESTDIR)$(DOCDIR)/$$page; done
	install -d $(DESTDIR)$(DOCDIR)/packaging/pictures
	install -m 0644 packaging/pictures/*.svg $(DESTDIR)$(DOCDIR)/packaging/pictures
	install -m 0644 packaging/conf/examples/*.conf $(DESTDIR)$(DOCDIR)/examples
	test -e $(DESTDIR)$(SYSCONFDIR)/cloudvip/cloudvip.conf || \
		install -m 0644 packaging/conf/cloudvip.conf $(DESTDIR)$(SYSCONFDIR)/cloudvip

# The site's hooks lie in $(SYSCONFDIR)/cloudvip/hooks, its own modules in lib below it; what is shipped is
# found beside them (CLOUDVIP_DATADIR).
.PHONY: install-hooks
install: install-hooks
install-hooks:
	install -d -m 0755 $(DESTDIR)$(SYSCONFDIR)/cloudvip/hooks/lib
	install -d $(DESTDIR)$(DATADIR)/cloudvip/hooks/lib $(DESTDIR)$(DATADIR)/cloudvip/hooks/examples
	install -m 0644 hooks/CONTRACT.md $(DESTDIR)$(DATADIR)/cloudvip/hooks
	install -m 0644 hooks/lib/*.lua $(DESTDIR)$(DATADIR)/cloudvip/hooks/lib
	install -m 0644 hooks/examples/*.lua $(DESTDIR)$(DATADIR)/cloudvip/hooks/examples

install: install-systemd
.PHONY: install-systemd
install-systemd:
	install -d $(DESTDIR)$(UNITDIR) $(DESTDIR)$(TMPFILESDIR) $(DESTDIR)$(STATEDIR)/cloudvip
	install -m 0644 packaging/systemd/cloudvip-check.service packaging/systemd/cloudvip-check.timer $(DESTDIR)$(UNITDIR)
	sed -i 's|/usr/sbin/|$(SBINDIR)/|' $(DESTDIR)$(UNITDIR)/cloudvip-check.service
	install -m 0644 packaging/systemd/cloudvip.tmpfiles $(DESTDIR)$(TMPFILESDIR)/cloudvip.conf

# What ties the kit to a cluster manager: each for itself, as packages have it.  The small files of ours
# in there start $(SBINDIR)/cloudvip.
.PHONY: install-pacemaker
install-pacemaker:
	install -d $(DESTDIR)$(OCFDIR)/resource.d/cloudvip $(DESTDIR)$(DOCDIR)/pacemaker/examples
	sed 's|^program=.*|program=$(SBINDIR)/cloudvip|' packaging/ocf/cloudvip >$(DESTDIR)$(OCFDIR)/resource.d/cloudvip/cloudvip
	chmod 0755 $(DESTDIR)$(OCFDIR)/resource.d/cloudvip/cloudvip
	install -m 0644 packaging/ocf/README.md $(DESTDIR)$(DOCDIR)/pacemaker
	install -m 0644 packaging/ocf/examples/* $(DESTDIR)$(DOCDIR)/pacemaker/examples

# keepalived's script lies with the actions: a part of `install`, as it needs nothing of keepalived.
.PHONY: install-keepalived
install: install-keepalived
install-keepalived:
	install -d $(DESTDIR)$(LIBEXECDIR)/cloudvip $(DESTDIR)$(DOCDIR)/keepalived
	sed 's|^program=.*|program=$(SBINDIR)/cloudvip|' packaging/keepalived/cloudvip-notify >$(DESTDIR)$(LIBEXECDIR)/cloudvip/cloudvip-notify
	chmod 0755 $(DESTDIR)$(LIBEXECDIR)/cloudvip/cloudvip-notify
	install -m 0644 packaging/keepalived/README.md packaging/keepalived/*.conf $(DESTDIR)$(DOCDIR)/keepalived

# LifeKeeper's type cloudvip.  The actions are copies: what tells them that LifeKeeper runs them is where
# they lie.  Afterwards `cloudvip lifekeeper register` makes the type known, once LifeKeeper is there.
lk_type := $(DESTDIR)$(LKROOT)/subsys/comm/resources/cloudvip
lk_admin := $(DESTDIR)$(LKROOT)/lkadm/subsys/comm/cloudvip/bin
lk_script = sed 's|^program=.*|program=$(SBINDIR)/cloudvip|; s|:-/opt/LifeKeeper}|:-$(LKROOT)}|' packaging/lifekeeper/$(1) >$(2); chmod 0755 $(2)
.PHONY: install-lifekeeper
install-lifekeeper: $(programs)
	install -d $(lk_type)/actions $(lk_type)/recovery $(lk_admin)
	install -m 0755 $(B)/bin/restore $(B)/bin/remove $(B)/bin/quickCheck $(lk_type)/actions
	install -m 0755 $(B)/bin/recover $(lk_type)/recovery/cloudvip
	$(call lk_script,forget,$(lk_type)/actions/delete)
	$(call lk_script,administration,$(lk_admin)/create)
	install -d $(DESTDIR)$(DOCDIR)/lifekeeper
	install -m 0644 packaging/lifekeeper/README.md $(DESTDIR)$(DOCDIR)/lifekeeper
	set -e; for name in canextend extend delete; do install -m 0755 $(lk_admin)/create $(lk_admin)/$$name; done

install-sim: $(B)/bin/cloudsim
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DATADIR)/cloudvip/demo
	install -m 0755 $(B)/bin/cloudsim $(DESTDIR)$(BINDIR)
	install -m 0644 packaging/demo/*.py $(DESTDIR)$(DATADIR)/cloudvip/demo
	install -m 0755 packaging/demo/cloudvip-demo $(DESTDIR)$(DATADIR)/cloudvip/demo
	sed -i '1s|.*|#!/usr/bin/python3|' $(DESTDIR)$(DATADIR)/cloudvip/demo/cloudvip-demo
	ln -sf ../share/cloudvip/demo/cloudvip-demo $(DESTDIR)$(BINDIR)/cloudvip-demo

# >>> manual
# What the code says of itself is printed from its own tables (packaging/man/manual.c).
man_in := $(wildcard packaging/man/*.in packaging/man/ja/*.in)
man_pages := $(man_in:packaging/man/%.in=$(B)/man/%)
$(B)/packaging/man/manual: $(B)/packaging/man/manual.o $(B)/libkit.a
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(pkg_libs)
$(B)/man/%: packaging/man/%.in $(B)/packaging/man/manual
	@mkdir -p $(@D)
	$(B)/packaging/man/manual $< >$@
.PHONY: man
man: $(man_pages)

install: install-completion
.PHONY: install-completion
install-completion:
	install -d $(DESTDIR)$(BASHDIR)/completions
	install -m 0644 packaging/completion/cloudvip $(DESTDIR)$(BASHDIR)/completions

install: install-man
.PHONY: install-man
install-man: man
	set -e; for page in $(man_pages:$(B)/man/%=%); do \
		dir=$(DESTDIR)$(MANDIR)/$$(dirname $$page)/man$${page##*.}; \
		install -d $$dir; install -m 0644 $(B)/man/$$page $$dir; done
	for action in remove quickCheck recover; do \
		ln -sf cloudvip-restore.8 $(DESTDIR)$(MANDIR)/man8/cloudvip-$$action.8; done
# <<< manual

# >>> packages
# From what is committed, or, in a tree without git (the tarball itself), from what is there.  Times and
# owners are fixed, so that the same tree makes the same bytes.
RPMTOP ?= $(CURDIR)/build/rpm
RPMFLAGS ?=
dist_name := cloudvip-$(VERSION)
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)
export SOURCE_DATE_EPOCH
rpm_build = rpmbuild --define '_topdir $(RPMTOP)' --define '_buildhost localhost' \
	--define 'use_source_date_epoch_as_buildtime 1' --define 'clamp_mtime_to_source_date_epoch 1' \
	$(shell rpm -q rpm >/dev/null 2>&1 || echo --nodeps) $(RPMFLAGS)

.PHONY: dist srpm rpm
dist:
	mkdir -p $(RPMTOP)/SOURCES
	{ git ls-files -z 2>/dev/null || find . -path ./build -prune -o -type f -print0; } | LC_ALL=C sort -z | \
		tar --null --no-recursion --files-from=- --transform 's|^\(\./\)*|$(dist_name)/|' --mtime=@$(SOURCE_DATE_EPOCH) \
		--owner=0 --group=0 --numeric-owner --mode=u+rw,go=u-w --format=ustar -cf - | \
		gzip -9n >$(RPMTOP)/SOURCES/$(dist_name).tar.gz

srpm: dist
	$(rpm_build) -bs packaging/rpm/cloudvip.spec

rpm: dist
	$(rpm_build) -ba packaging/rpm/cloudvip.spec
# <<< packages

# >>> bench
# The kit beside the stock agents; prints tables, writes build/bench.json.  BENCHFLAGS: see tests/bench/bench.py -h
BENCHFLAGS ?=
$(B)/tests/bench/timed: $(B)/tests/bench/timed.o
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^

$(B)/tests/bench/hooks: $(B)/tests/bench/hooks.o $(B)/libact.a $(B)/libkit.a
	$(CC) $(own_ldflags) $(LDFLAGS) $(CFLAGS) -o $@ $^ $(pkg_libs)

bench: all $(B)/tests/bench/timed $(B)/tests/bench/hooks
	BUILD=$(B) $(PYTHON) tests/bench/bench.py $(BENCHFLAGS)
# <<< bench

# >>> demo
# DEMOFLAGS: --fast (no pauses), --ascii, --keep (the logs and the configurations).
DEMOFLAGS ?=
demo: $(B)/bin/cloudsim $(B)/bin/cloudvip $(B)/bin/quickCheck
	@packaging/demo/cloudvip-demo --bindir $(B)/bin $(DEMOFLAGS)
# <<< demo

clean:
	rm -rf build

-include $(shell find $(B) -path $(B)/rpm -prune -o -type f -name '*.d' -print 2>/dev/null)
