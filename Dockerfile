# The program as an image: `docker build -t accounts .`; the last stage is what production runs.
#   --target local-aws   the local S3, Glue and Athena endpoint, for compose.yaml and tests
#   --build-arg GIT_SHA=$(git rev-parse HEAD) --build-arg VERSION=… --build-arg CREATED=…   for the labels and every manifest
ARG NODE_IMAGE=node:24-bookworm-slim

# Everything that development installs; none of it leaves this stage but what it builds.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY prisma.config.ts tsconfig.json tsconfig.build.json ./
COPY prisma ./prisma
COPY scripts/copy-assets.ts ./scripts/copy-assets.ts
COPY scripts/container/rds-certificates.ts ./scripts/container/rds-certificates.ts
COPY src ./src
RUN node node_modules/prisma/build/index.js generate \
 && node node_modules/typescript/bin/tsc -p tsconfig.build.json \
 && node scripts/copy-assets.ts \
 && node scripts/container/rds-certificates.ts rds-ca.pem \
 && find dist -name '*.map' -delete

# Only what runs. --omit=dev alone keeps prisma and typescript, which the lock calls optional, too; the one optional package that is
# used, a compiler's product for this platform, is taken from the stage above. Then what no program reads: types, source maps and the
# query compilers of other databases, half of all bytes.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error \
 && rm -rf node_modules/@types node_modules/.package-lock.json \
 && find node_modules -type d \( -name dist-types -o -name test -o -name tests \) -prune -exec rm -rf {} + \
 && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
 && find node_modules/@prisma/client/runtime -type f -name 'query_compiler_*' ! -name 'query_compiler_fast_bg.postgresql.*' -delete
COPY --from=build /app/node_modules/@napi-rs ./node_modules/@napi-rs

# What both images stand on: Node.js and an init, which passes signals on and reaps; no package manager.
FROM ${NODE_IMAGE} AS runtime
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/log/apt /var/log/dpkg.log /var/cache/debconf/*-old \
 && rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack /usr/local/bin/yarn* /opt/yarn*
WORKDIR /app
COPY package.json ./
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist

# The stand-in for AWS: its database engine in place of the accounts.
FROM build AS local-packages
COPY scripts/container/copy-packages.ts ./scripts/container/copy-packages.ts
RUN node scripts/container/copy-packages.ts /packages @duckdb/node-api fast-xml-parser

FROM runtime AS local-aws
COPY --from=local-packages /packages ./node_modules
RUN mkdir /data && chown 1000:1000 /data
ENV NODE_ENV=production LOCAL_DATA_DIR=/data LOCAL_AWS_HOST=0.0.0.0 LOCAL_AWS_PORT=4566
USER 1000:1000
VOLUME /data
EXPOSE 4566
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --retries=3 CMD ["node", "-e", "require('node:fs').statSync(process.env.LOCAL_DATA_DIR + '/aws-ready'); require('node:net').connect(process.env.LOCAL_AWS_PORT, '127.0.0.1', () => process.exit(0)).on('error', () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "dist/main.js"]
CMD ["local"]

FROM runtime AS production
COPY prisma/migrations ./prisma/migrations
COPY docs ./docs
COPY --from=build /app/rds-ca.pem ./rds-ca.pem
ARG VERSION=0.0.0
ARG GIT_SHA=
ARG CREATED=
LABEL org.opencontainers.image.title="RocketGames Accounts" \
      org.opencontainers.image.description="Players, studios and games over HTTP, and as Parquet snapshots for Athena" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${GIT_SHA}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.licenses="UNLICENSED"
# The heap's young half is as npm start sets it; the flag is one that children (snapshots) may inherit, too.
ENV NODE_ENV=production NODE_OPTIONS=--max-semi-space-size=16 HOST=0.0.0.0 PORT=3000 GIT_SHA=${GIT_SHA}
USER 1000:1000
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["tini", "--", "node", "dist/main.js"]
CMD ["serve"]
