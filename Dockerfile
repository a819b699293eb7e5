# The proxy in a container: no dashboard without a terminal, so it writes log lines.
# Build:  docker build -t claude-oauth-proxy .
# Run:    docker run -it --rm -p 127.0.0.1:4001:4001 -v claude-oauth-proxy:/data claude-oauth-proxy
FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json tsconfig.json ./
COPY src src
COPY bin bin
RUN npm ci && npm prune --omit=dev

FROM node:24-slim
ENV NODE_ENV=production CLAUDE_OAUTH_PROXY_DIR=/data CLAUDE_OAUTH_PROXY_SERVER__HOST=0.0.0.0
WORKDIR /app
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY --from=build /build/bin bin
RUN mkdir -p /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4001
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/claude-oauth-proxy.js"]
