import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tuningEnvironment } from './tuning.mjs';

/** Operating system variables that services may need; nothing else of the caller's environment reaches them. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR',
  'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** Settings of the launcher itself. */
const LAUNCHER_ONLY = ['HAVEN_DATA_DIR', 'HAVEN_VERBOSE', 'HAVEN_LISTEN', 'HAVEN_PRIVATE_LISTEN'];

/** Settings that only some services need; the others never see them. */
const ONLY_FOR = {
  HAVEN_ADMIN_PASSWORD: ['core'],
  HAVEN_ADMIN_PASSWORD_OUT: ['core'],
  HAVEN_SECRET_KEY: ['core', 'job-service'],
  HAVEN_DATABASE_URL: ['core', 'registry', 'job-service'],
  HAVEN_S3_ACCESS_KEY: ['core', 'registry', 'job-service', 'proxy'],
  HAVEN_S3_SECRET_KEY: ['core', 'registry', 'job-service', 'proxy'],
  HAVEN_STORAGE: ['core', 'registry', 'job-service', 'proxy'],
  HAVEN_HTTP_PORT: ['proxy'],
  HAVEN_HTTPS_PORT: ['proxy'],
  HAVEN_LISTEN_HOST: ['proxy'],
  HAVEN_TLS_CERT: ['proxy'],
  HAVEN_TLS_KEY: ['proxy'],
  HAVEN_TRUSTED_PROXIES: ['proxy'],
  HAVEN_LOG_DIR: ['log-collector'],
};

/** Whether the operator has set `name`, by value or as NAME_FILE. */
export function isSet(env, name) {
  return Boolean(env[name] ?? env[`${name}_FILE`]);
}

/**
 * The environment of one service: what the operator set, completed by what the launcher decides.
 * @param {string} service
 * @param {{ listen: number, private: number }} ports
 * @param {object} platform
 * @param {Record<string, string>} platform.env the operator's HAVEN_… settings
 * @param {string} platform.dataDir
 * @param {string} [platform.databaseUrl] of the embedded Postgres
 * @param {string} [platform.redisUrl] of the local Redis
 * @param {Record<string, string[]>} platform.urls addresses of the replicas of registry and core
 */
export function serviceEnvironment(service, ports, platform) {
  const { env } = platform;
  const defaults = Object.entries(defaultSettings(platform.dataDir)).filter(([name]) => !isSet(env, name));
  const decided = decidedSettings(service, ports, platform);
  const given = Object.entries(env).filter(([name]) => !LAUNCHER_ONLY.includes(name) && decided[name.replace(/_FILE$/, '')] === undefined);
  return { ...tuningEnvironment(service), ...operatingSystem(), ...onlyFor(service, { ...Object.fromEntries([...defaults, ...given]), ...decided }) };
}

function defaultSettings(dataDir) {
  return {
    HAVEN_SHUTDOWN_SECONDS: '10',
    HAVEN_STORAGE: pathToFileURL(join(dataDir, 'storage')).href,
    HAVEN_LOG_DIR: join(dataDir, 'logs'),
  };
}

/** What only the launcher can know; an operator's value for these is not used. */
function decidedSettings(service, ports, { env, dataDir, databaseUrl, redisUrl, urls }) {
  return {
    HAVEN_PRIVATE_LISTEN: `127.0.0.1:${ports.private}`,
    ...(redisUrl && { HAVEN_REDIS_URL: redisUrl }),
    ...(databaseUrl && { HAVEN_DATABASE_URL: databaseUrl }),
    ...((service === 'registry' || service === 'core') && { HAVEN_LISTEN: `127.0.0.1:${ports.listen}` }),
    ...(service === 'core' && { HAVEN_ADMIN_PASSWORD_OUT: passwordFile(dataDir) }),
    ...((service === 'core' || service === 'job-service') && !isSet(env, 'HAVEN_SECRET_KEY') && { HAVEN_SECRET_KEY_FILE: keyFile(dataDir) }),
    ...(service === 'proxy' && { HAVEN_HTTP_PORT: String(ports.listen), HAVEN_REGISTRY_URLS: urls.registry.join(','), HAVEN_CORE_URLS: urls.core.join(',') }),
  };
}

function onlyFor(service, variables) {
  return Object.fromEntries(Object.entries(variables).filter(([name]) => {
    const services = ONLY_FOR[name.replace(/_FILE$/, '')];
    return services === undefined || services.includes(service);
  }));
}

function operatingSystem() {
  return Object.fromEntries(PASSED_ON.filter((name) => process.env[name] !== undefined).map((name) => [name, process.env[name]]));
}

export function keyFile(dataDir) {
  return join(dataDir, 'keys/secret.key');
}

export function passwordFile(dataDir) {
  return join(dataDir, 'run/admin-password');
}
