# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Installing: with make, with DKMS, as Debian packages.  Included by the Makefile.
#
#   make install            user space to PREFIX, the module for KDIR's kernel
#   make install-userspace  without the module
#   make install-extcap     Wireshark's program alone, to EXTCAPDIR
#   make install-device     udev rule, user and group, loading at boot, the unit
#   make dkms               the module's source to /usr/src, built by DKMS
#   make deb                build/deb/*.deb
#   make test-deb           the packages installed, upgraded, removed in a VM
#   make test-window        Wireshark's window with ptap's interfaces, in a VM
#   make test-many          captures of many hosts into ClickHouse
#
# DESTDIR is put before every path.  LIBDIR, EXTCAPDIR, ZSHDIR: where distributions
# have their own places.

INSTALL ?= install
EXTCAPDIR ?= $(LIBDIR)/wireshark/extcap
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
D := $(DESTDIR)$(PREFIX)
DKMS_SRC := $(DESTDIR)/usr/src/ptap-$(VERSION)

.PHONY: install install-userspace install-extcap install-device dkms dkms-source deb test-deb \
	test-window test-many
install: install-userspace install-device modules_install

# kbuild leaves depmod out where the headers have no System.map, as Debian's.
modules_install: modules
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' \
		$(if $(DESTDIR),INSTALL_MOD_PATH='$(DESTDIR)') modules_install
	@release=$$(modinfo -F vermagic module/ptap.ko | cut -d' ' -f1) && \
	if test -n '$(DESTDIR)'; then \
		echo "modprobe finds the module after: depmod $$release"; \
	else \
		depmod "$$release"; \
	fi

# A page for each function is a link to the one that describes them all.
install-userspace: userspace install-extcap
	$(INSTALL) -d $(D)/bin $(DESTDIR)$(LIBDIR)/pkgconfig \
		$(D)/include/linux $(D)/share/ptap
	$(INSTALL) $(B)/tapdump $(B)/pcapdiff $(D)/bin
	$(INSTALL) -m 644 $(B)/libptap.a $(B)/$(SONAME) $(DESTDIR)$(LIBDIR)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libptap.so
	$(INSTALL) -m 644 $(B)/ptap.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	$(INSTALL) -m 644 userspace/libptap/ptap.h $(D)/include
	$(INSTALL) -m 644 module/uapi/linux/ptap.h $(D)/include/linux
	$(INSTALL) -m 644 userspace/bpftrace/*.bt $(D)/share/ptap
	$(INSTALL) -D -m 644 -t $(D)/share/doc/libptap-dev/examples \
		userspace/examples/*.*
	$(INSTALL) -D -m 644 userspace/completions/tapdump.bash \
		$(D)/share/bash-completion/completions/tapdump
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(ZSHDIR) \
		userspace/completions/_tapdump
	for page in userspace/man/*.[0-9]; do \
		$(INSTALL) -D -m 644 -t $(D)/share/man/man$${page##*.} \
			$$page || exit 1; done
	for name in $$(sed -n 's/^	\(ptap_[a-z_]*\);/\1/p' \
			userspace/libptap/libptap.map); do \
		ln -sf libptap.3 $(D)/share/man/man3/$$name.3; done
	@test -n '$(DESTDIR)' || ldconfig || :

install-extcap: userspace
	$(INSTALL) -D -t $(DESTDIR)$(EXTCAPDIR) $(B)/ptap-extcap

install-device:
	$(INSTALL) -D -m 644 scripts/install/60-ptap.rules \
		$(D)/lib/udev/rules.d/60-ptap.rules
	$(INSTALL) -D -m 644 scripts/install/sysusers.conf \
		$(D)/lib/sysusers.d/ptap.conf
	$(INSTALL) -D -m 644 scripts/install/modules-load.conf \
		$(D)/lib/modules-load.d/ptap.conf
	$(INSTALL) -d $(D)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' 'scripts/install/ptap-recorder@.service.in' \
		> '$(D)/lib/systemd/system/ptap-recorder@.service'
	@test -n '$(DESTDIR)' || echo "The device: systemd-sysusers; udevadm" \
		"control --reload; modprobe ptap. Who may open it: the group" \
		"ptap. The right to capture: setcap cap_net_raw,cap_net_admin=ep" \
		"$(PREFIX)/bin/tapdump"

# DKMS ------------------------------------------------------------------------

dkms-source:
	$(INSTALL) -d $(DKMS_SRC)
	cp -r --parents Kbuild module/Kbuild module/*.[ch] module/*.sh \
		module/uapi COPYING $(DKMS_SRC)
	sed 's|@VERSION@|$(VERSION)|' scripts/install/dkms.conf.in \
		> $(DKMS_SRC)/dkms.conf

dkms: dkms-source
	@command -v dkms >/dev/null || { \
		echo "There is no dkms here: apt-get install dkms" >&2; exit 1; }
	dkms remove ptap/$(VERSION) --all 2>/dev/null || :
	dkms add ptap/$(VERSION)
	dkms install ptap/$(VERSION)

# Debian ----------------------------------------------------------------------

DEB := $(B)/deb
deb:
	@for tool in dpkg-buildpackage dh dh_dkms; do \
		command -v $$tool >/dev/null || { \
		echo "There is no $$tool here: apt-get install dpkg-dev" \
		     "debhelper dh-dkms" >&2; exit 1; }; done
	rm -rf $(DEB)
	mkdir -p $(DEB)/ptap
	cp -r Kbuild Makefile README.md COPYING module userspace scripts tests \
		$(DEB)/ptap
	mv $(DEB)/ptap/scripts/debian $(DEB)/ptap/debian
	find $(DEB)/ptap/module -name '*.o' -delete -o -name '*.ko' -delete \
		-o -name '.*.cmd' -delete -o -name '*.mod*' -delete \
		-o -name compat-probes.h -delete
	cd $(DEB)/ptap && dpkg-buildpackage -b -us -uc -d
	rm -rf $(DEB)/ptap

test-deb: deps
	@scripts/install-deps.sh --deb
	@tests/home/run.sh packages

test-window: deps
	@tests/home/window.sh

test-many:
	@scripts/install-deps.sh --many
	@tests/home/many.sh
