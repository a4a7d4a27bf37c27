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
  auth_mode: z.literal('db_auth'),
  primary_auth_mode: z.boolean(),
  self_registration: z.boolean(),
  banner_message: z.string(),
  harbor_version: z.string().optional(),
  external_url: z.string().optional(),
  registry_url: z.string().optional(),
  has_ca_root: z.boolean().optional(),
  project_creation_restriction: z.enum(['everyone', 'adminonly']).optional(),
  read_only: z.boolean().optional(),
  registry_storage_provider_name: z.string().optional(),
  notification_enable: z.boolean().optional(),
  current_time: z.iso.datetime().optional(),
}).meta({ id: 'GeneralInfo' });
export type GeneralInfo = z.infer<typeof GeneralInfo>;

/** GET /api/version: which API this server speaks. */
export const ApiVersion = z.object({ version: z.literal('v2.0') }).meta({ id: 'ApiVersion' });
