import { BODY_BYTES } from '../limits/limits.js';

export type UpstreamName = 'registry' | 'core';

/** Which of the two error bodies clients of a route understand: the OCI Distribution Spec's or Harbor's. */
export type ErrorShape = 'oci' | 'harbor';

export interface Route {
  /** Names the route in logs and metrics. */
  readonly name: string;
  /** Who answers; undefined when nobody does and the proxy says 404. */
  readonly upstream: UpstreamName | undefined;
  readonly errors: ErrorShape;
  /** The largest request body, in bytes. */
  readonly bodyBytes: number;
  /** Which time is limited while a request body comes in: all of it, or that since its last byte. */
  readonly bodyTime: 'total' | 'idle';
  /** So many times HAVEN_UPSTREAM_SECONDS is what the upstream has for its answer. */
  readonly patience: number;
  /** The answer to a GET may be a file for the proxy to send. */
  readonly file: boolean;
}

const registry = { upstream: 'registry', errors: 'oci', bodyTime: 'total', patience: 1, file: false } as const;
const core = { upstream: 'core', errors: 'harbor', bodyBytes: BODY_BYTES.api, bodyTime: 'total', patience: 1, file: false } as const;
const nobody = { upstream: undefined, errors: 'harbor', bodyBytes: 0, bodyTime: 'total', patience: 1, file: false } as const;

/** The registry's routes, told apart by the end of the path because repository names may hold any word. */
export const V2 = {
  manifest: { ...registry, name: 'manifest', bodyBytes: BODY_BYTES.manifest },
  blob: { ...registry, name: 'blob', bodyBytes: BODY_BYTES.none, file: true },
  // Closing an upload may copy the whole blob inside an object store, so the registry may think for long.
  upload: { ...registry, name: 'upload', bodyBytes: Number.MAX_SAFE_INTEGER, bodyTime: 'idle', patience: 8 },
  other: { ...registry, name: 'v2', bodyBytes: BODY_BYTES.none },
} as const satisfies Record<string, Route>;

const API: Route = { ...core, name: 'api' };
const TOKEN: Route = { ...core, name: 'token', bodyBytes: BODY_BYTES.form };
const SIGN_IN: Route = { ...core, name: 'sign-in', bodyBytes: BODY_BYTES.form };
const DEVCENTER: Route = { ...core, name: 'devcenter' };
const NOWHERE: Route = { ...nobody, name: 'none' };

/** Everything else: the portal's pages and files, which core serves. */
export const PORTAL: Route = { ...core, name: 'portal' };

/** One line of the table: a path, or everything below it when it ends in a slash. */
export interface TableEntry {
  readonly path: string;
  readonly route: Route;
}

/** Paths outside `/v2`. The first line that fits decides; what no line fits is the portal's. */
export const TABLE: readonly TableEntry[] = [
  // Probes, metrics and the internal interfaces of older registries are never reachable from outside.
  { path: '/api/internal', route: NOWHERE },
  { path: '/api/internal/', route: NOWHERE },
  { path: '/api', route: API },
  { path: '/api/', route: API },
  { path: '/service/token', route: TOKEN },
  { path: '/service', route: NOWHERE },
  { path: '/service/', route: NOWHERE },
  { path: '/c/', route: SIGN_IN },
  { path: '/devcenter', route: DEVCENTER },
  { path: '/devcenter/', route: DEVCENTER },
  { path: '/devcenter-api-2.0', route: DEVCENTER },
  { path: '/devcenter-api-2.0/', route: DEVCENTER },
  { path: '/v1', route: NOWHERE },
  { path: '/v1/', route: NOWHERE },
  { path: '/livez', route: NOWHERE },
  { path: '/readyz', route: NOWHERE },
  { path: '/metrics', route: NOWHERE },
];
