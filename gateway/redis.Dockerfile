# Redis for manifests/overlays/shared. Build context: the repository root; nothing of it gets in.
FROM debian:trixie-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends redis-server tini \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin heliostat
USER 10001:10001
WORKDIR /data
EXPOSE 6379
# The password is added to the configuration over standard input: on a command line everybody on
# the node could read it.
ENTRYPOINT ["tini", "--", "sh", "-euc", "exec redis-server \"$@\" - <<END\nrequirepass \"${REDISCLI_AUTH:?is the password}\"\nEND\n", "redis"]
CMD ["/etc/heliostat/redis.conf"]
