# Installs the agent from source; packages are built with the same list of files.
#
#   make                  build
#   make install          install under /usr; DESTDIR and PREFIX as usual
#   make uninstall

NAME   = resource-agents-pgsqlms
PREFIX = /usr
# Pacemaker looks for agents here, whatever the prefix and the architecture.
OCF    = /usr/lib/ocf/resource.d/heartbeat
OCFT   = /usr/share/resource-agents/ocft/configs
SBIN   = $(PREFIX)/sbin
MAN    = $(PREFIX)/share/man
DOC    = $(PREFIX)/share/doc/$(NAME)
BASH   = $(PREFIX)/share/bash-completion/completions
ZSH    = $(PREFIX)/share/zsh/site-functions
# What pacemaker.service has besides.
DROPIN = /usr/lib/systemd/system/pacemaker.service.d
UNITS  = /usr/lib/systemd/system
SHARE  = $(PREFIX)/share/pgsqlms
ALERTS = /usr/share/pacemaker/alerts
FISH   = $(PREFIX)/share/fish/vendor_completions.d
# What the agent must not forget; it makes the folder itself where it is not there.
STATE  = /var/lib/pgsqlms

AGENT  = target/release/pgsqlms
MADE   = packaging/generated
FILE   = install -D -m 0644

# The same sources make the same program, in whatever folder and by whomever.
REMAP  = --remap-path-prefix=$(or $(CARGO_HOME),$(HOME)/.cargo)=/cargo \
         --remap-path-prefix=$(CURDIR)=/pgsqlms

all:
	RUSTFLAGS="$(RUSTFLAGS) $(REMAP)" cargo build --release --locked -p pgsqlms

# Only installs: root needs no compiler.
install:
	install -D -m 0755 $(AGENT) $(DESTDIR)$(OCF)/pgsqlms
	install -d $(DESTDIR)$(SBIN)
	ln -sfr $(DESTDIR)$(OCF)/pgsqlms $(DESTDIR)$(SBIN)/pgsqlms
	$(FILE) packaging/ocft/pgsqlms $(DESTDIR)$(OCFT)/pgsqlms
	$(FILE) $(MADE)/ocf_heartbeat_pgsqlms.7 $(DESTDIR)$(MAN)/man7/ocf_heartbeat_pgsqlms.7
	install -d $(DESTDIR)$(MAN)/man8
	install -m 0644 $(MADE)/*.8 $(DESTDIR)$(MAN)/man8
	$(FILE) $(MADE)/pgsqlms.bash $(DESTDIR)$(BASH)/pgsqlms
	$(FILE) $(MADE)/_pgsqlms $(DESTDIR)$(ZSH)/_pgsqlms
	$(FILE) $(MADE)/pgsqlms.fish $(DESTDIR)$(FISH)/pgsqlms.fish
	$(FILE) packaging/systemd/pacemaker.service.conf $(DESTDIR)$(DROPIN)/pgsqlms.conf
	$(FILE) packaging/systemd/pgsqlms-metrics.service $(DESTDIR)$(UNITS)/pgsqlms-metrics.service
	$(FILE) packaging/systemd/pgsqlms-metrics.timer $(DESTDIR)$(UNITS)/pgsqlms-metrics.timer
	$(FILE) packaging/systemd/pgsqlms-role.socket $(DESTDIR)$(UNITS)/pgsqlms-role.socket
	$(FILE) packaging/systemd/pgsqlms-role@.service $(DESTDIR)$(UNITS)/pgsqlms-role@.service
	$(FILE) packaging/monitoring/pgsqlms-alerts.yml $(DESTDIR)$(SHARE)/pgsqlms-alerts.yml
	$(FILE) packaging/monitoring/pgsqlms-dashboard.json $(DESTDIR)$(SHARE)/pgsqlms-dashboard.json
	$(FILE) packaging/monitoring/pgsqlms-alerts.test.yml $(DESTDIR)$(SHARE)/pgsqlms-alerts.test.yml
	install -D -m 0755 packaging/monitoring/alert_pgsqlms $(DESTDIR)$(ALERTS)/alert_pgsqlms
	install -d -m 0700 $(DESTDIR)$(STATE)
	install -d $(DESTDIR)$(DOC)/docs/pictures $(DESTDIR)$(DOC)/docs/upstream
	install -m 0644 LICENSE $(DESTDIR)$(DOC)
	install -m 0644 docs/pictures/*.svg $(DESTDIR)$(DOC)/docs/pictures
	install -m 0644 docs/upstream/*.patch $(DESTDIR)$(DOC)/docs/upstream
	for page in *.md docs/*.md docs/upstream/*.md; do \
	    sed -zE -f packaging/links.sed $$page > $(DESTDIR)$(DOC)/$$page && \
	    chmod 0644 $(DESTDIR)$(DOC)/$$page || exit 1; \
	done

uninstall:
	rm -f $(DESTDIR)$(OCF)/pgsqlms $(DESTDIR)$(SBIN)/pgsqlms $(DESTDIR)$(OCFT)/pgsqlms
	rm -f $(DESTDIR)$(MAN)/man7/ocf_heartbeat_pgsqlms.7 $(DESTDIR)$(MAN)/man8/pgsqlms.8 \
	    $(DESTDIR)$(MAN)/man8/pgsqlms-*.8
	rm -f $(DESTDIR)$(BASH)/pgsqlms $(DESTDIR)$(ZSH)/_pgsqlms $(DESTDIR)$(FISH)/pgsqlms.fish
	rm -f $(DESTDIR)$(DROPIN)/pgsqlms.conf
	rm -f $(DESTDIR)$(UNITS)/pgsqlms-metrics.service $(DESTDIR)$(UNITS)/pgsqlms-metrics.timer
	rm -f $(DESTDIR)$(UNITS)/pgsqlms-role.socket $(DESTDIR)$(UNITS)/pgsqlms-role@.service
	rm -rf $(DESTDIR)$(SHARE)
	rm -f $(DESTDIR)$(ALERTS)/alert_pgsqlms
	rm -rf $(DESTDIR)$(DOC)

.PHONY: all install uninstall
