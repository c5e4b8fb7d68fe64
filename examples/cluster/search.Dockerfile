# The image of search replicas: examples/live-service/replica.ts, which Node.js runs as it is. In a clone, after `npm ci`:
#
#   npm pack && docker build -f examples/cluster/search.Dockerfile -t registry.example.com/shardloom-search:0.1.0 .
FROM node:24-slim
WORKDIR /app
COPY shardloom-*.tgz ./
RUN npm install --no-audit --no-fund ./shardloom-*.tgz hono@4 @hono/node-server@2 && \
  npm pkg set type=module && rm shardloom-*.tgz
COPY examples/live-service/replica.ts examples/live-service/routes.ts examples/live-service/serve.ts \
  examples/live-service/metrics.ts ./
USER node
ENTRYPOINT ["node", "replica.ts"]
