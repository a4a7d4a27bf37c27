import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

/** Operating system variables that services may need; nothing else of the caller's environment reaches them. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NODE_OPTIONS', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'SSL_CERT_DIR',
  'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** Settings of the launcher itself. */
const LAUNCHER_ONLY = ['HAVEN_DATA_DIR', 'HAVEN_VERBOSE', 'HAVEN_LISTEN', 'HAVEN_PRIVATE_LISTEN'];

/** Settings that only some services need; the others never see them. */
const ONLY_FOR = {
  HAVEN_ADMIN_PASSWORD: ['core'],
  HAVEN_ADMIN_PASSWORD_OUT: ['core'],
  HAVEN_SECRET_KEY: ['core'],
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

/** A setting's value, also when it is given as NAME_FILE (then the file's name is not read, only known to be set). */
export function isSet(env, name) {
  return Boolean(env[name] ?? env[`${name}_FILE`]);
}

/**
 * The environment of one service: what the operator set, plus what the launcher decided.
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
  const chosen = { HAVEN_SHUTDOWN_SECONDS: '10', HAVEN_STORAGE: defaultStorage(platform.dataDir), ...forService(platform.env, service) };
  const decided = {
    HAVEN_PRIVATE_LISTEN: `127.0.0.1:${ports.private}`,
    ...(platform.redisUrl && { HAVEN_REDIS_URL: platform.redisUrl }),
    ...(platform.databaseUrl && { HAVEN_DATABASE_URL: platform.databaseUrl }),
    ...ownSettings(service, ports, platform),
  };
  if (isSet(platform.env, 'HAVEN_STORAGE')) delete decided.HAVEN_STORAGE;
  return { ...operatingSystem(), ...onlyFor(service, chosen), ...onlyFor(service, decided) };
}

function ownSettings(service, ports, { env, dataDir, urls }) {
  const listen = { HAVEN_LISTEN: `127.0.0.1:${ports.listen}` };
  if (service === 'registry') return listen;
  if (service === 'core') {
    return {
      ...listen,
      HAVEN_ADMIN_PASSWORD_OUT: passwordFile(dataDir),
      ...(env.HAVEN_SECRET_KEY_FILE ? {} : { HAVEN_SECRET_KEY_FILE: keyFile(dataDir) }),
    };
  }
  if (service === 'proxy') {
    return { HAVEN_HTTP_PORT: String(ports.listen), HAVEN_REGISTRY_URLS: urls.registry.join(','), HAVEN_CORE_URLS: urls.core.join(',') };
  }
  return service === 'log-collector' && !isSet(env, 'HAVEN_LOG_DIR') ? { HAVEN_LOG_DIR: logFolder(dataDir) } : {};
}

function forService(env, service) {
  return onlyFor(service, Object.fromEntries(Object.entries(env).filter(([name]) => !LAUNCHER_ONLY.includes(name))));
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

export function defaultStorage(dataDir) {
  return pathToFileURL(join(dataDir, 'storage')).href;
}

export function logFolder(dataDir) {
  return join(dataDir, 'logs');
}

export function keyFile(dataDir) {
  return join(dataDir, 'keys/secret.key');
}

export function passwordFile(dataDir) {
  return join(dataDir, 'run/admin-password');
}
