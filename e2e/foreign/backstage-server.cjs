/** Serves Backstage's Harbor back end. Arguments: the folder it is installed in, and the target as JSON. */
const { createRequire } = require('node:module');
const { join } = require('node:path');

const [folder, target] = process.argv.slice(2);
const load = createRequire(join(folder, 'package.json'));
const { url, user, password, redisPort } = JSON.parse(target);

const { ConfigReader } = load('@backstage/config');
// Its main file brings the whole framework's plugin; the routes are all there is to it.
const { createRouter } = load(join(folder, 'node_modules/@digitalist-open-cloud/backstage-plugin-harbor-backend/dist/service/router.cjs.js'));
const express = load('express');

const config = new ConfigReader({
  harbor: { baseUrl: url, username: user, password },
  redis: { host: '127.0.0.1', port: redisPort },
});
const logger = { info: () => undefined, warn: console.error, error: console.error, debug: () => undefined, child: () => logger };

createRouter({ config, logger }).then((router) => {
  const server = express().use('/api/harbor', router).listen(0, '127.0.0.1', () => console.log(`listening on ${server.address().port}`));
  process.on('SIGTERM', () => process.exit(0)); // its Redis connection would keep it alive
});
