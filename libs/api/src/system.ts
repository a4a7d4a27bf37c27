import { z } from 'zod';

/** `degraded`: everything clients need works, something beside it (Redis) does not. Components are healthy or unhealthy. */
export const OverallHealthStatus = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  components: z.array(z.object({
    name: z.string(),
    status: z.enum(['healthy', 'unhealthy']),
    error: z.string().optional(),
  }).meta({ id: 'ComponentHealthStatus' })),
}).meta({ id: 'OverallHealthStatus' });
export type OverallHealthStatus = z.infer<typeof OverallHealthStatus>;

/** What anybody may know about the installation; the second half only once logged in. */
export const GeneralInfo = z.object({
  auth_mode: z.string(),
  primary_auth_mode: z.boolean(),
  self_registration: z.boolean(),
  banner_message: z.string(),
  harbor_version: z.string().optional(),
  external_url: z.string().optional(),
  registry_url: z.string().optional(),
  has_ca_root: z.boolean().optional(),
  project_creation_restriction: z.string().optional(),
  read_only: z.boolean().optional(),
  registry_storage_provider_name: z.string().optional(),
  notification_enable: z.boolean().optional(),
  current_time: z.iso.datetime().optional(),
  /** Only while people log in with OpenID Connect. */
  oidc_provider_name: z.string().optional(),
  /** Only while people log in through an HTTP proxy. The second name is spelled as clients know it. */
  authproxy_settings: z.object({
    endpoint: z.string(),
    tokenreivew_endpoint: z.string(),
    skip_search: z.boolean(),
    verify_cert: z.boolean(),
    server_certificate: z.string(),
  }).meta({ id: 'AuthproxySetting' }).optional(),
}).meta({ id: 'GeneralInfo' });
export type GeneralInfo = z.infer<typeof GeneralInfo>;

/** Bytes of each volume that blobs are kept on; none where the storage has no size of its own (S3). */
export const SystemInfo = z.object({
  storage: z.array(z.object({ total: z.number().int(), free: z.number().int() }).meta({ id: 'Storage' })),
}).meta({ id: 'SystemInfo' });
export type SystemInfo = z.infer<typeof SystemInfo>;

/** GET /api/version: which API this server speaks. */
export const ApiVersion = z.object({ version: z.literal('v2.0') }).meta({ id: 'ApiVersion' });
