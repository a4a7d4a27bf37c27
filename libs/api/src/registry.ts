import { z } from 'zod';
import { text, Timestamp } from './fields.js';
import { listParameters } from './paging.js';

/** Another registry as it is shown; `status` is healthy or unhealthy, `access_secret` is `*****` where there is one. */
export const Registry = z.object({
  id: z.number().int(),
  name: z.string(),
  url: z.string(),
  type: z.string(),
  insecure: z.boolean(),
  description: z.string(),
  status: z.string(),
  ca_certificate: z.string().optional(),
  credential: z.object({ type: z.string(), access_key: z.string(), access_secret: z.string() }).meta({ id: 'RegistryCredential' }).optional(),
  creation_time: Timestamp,
  update_time: Timestamp,
}).meta({ id: 'Registry' });
export type Registry = z.infer<typeof Registry>;

/** Body of POST /registries. */
export const RegistryReq = z.object({
  name: text(255).optional(),
  description: text(1024).nullable().optional(),
  type: text(64).optional(),
  url: text(2048).optional(),
  insecure: z.boolean().nullable().optional(),
  ca_certificate: text(65_536).nullable().optional(),
  credential: z.object({ type: text(64).optional(), access_key: text(255).optional(), access_secret: text(4096).optional() }).meta({ id: 'RegistryCredentialReq' }).nullable().optional(),
}).meta({ id: 'RegistryReq' });
export type RegistryReq = z.infer<typeof RegistryReq>;

const changeable = {
  url: text(2048).nullable().optional(),
  credential_type: text(64).nullable().optional(),
  access_key: text(255).nullable().optional(),
  access_secret: text(4096).nullable().optional(),
  insecure: z.boolean().nullable().optional(),
  ca_certificate: text(65_536).nullable().optional(),
};

/** Body of PUT /registries/{id}. What is left out stays; another address without a secret forgets the secret. */
export const RegistryUpdate = z.object({ ...changeable, name: text(255).nullable().optional(), description: text(1024).nullable().optional() }).meta({ id: 'RegistryUpdate' });
export type RegistryUpdate = z.infer<typeof RegistryUpdate>;

/** Body of POST /registries/ping: a known registry (`id`, of which only the credentials can be others), or one described in full. */
export const RegistryPing = z.object({ ...changeable, id: z.number().int().nullable().optional(), type: text(64).nullable().optional() }).meta({ id: 'RegistryPing' });
export type RegistryPing = z.infer<typeof RegistryPing>;

export const RegistryListQuery = z.object({ ...listParameters, name: text(255).optional() }).meta({ id: 'RegistryListQuery' });
export type RegistryListQuery = z.infer<typeof RegistryListQuery>;

/** The id of a registry in a path; 0 stands for this installation. */
export const RegistryId = z.string().regex(/^(?:0|[1-9]\d{0,9})$/, 'must be a whole number').transform(Number).pipe(z.number().int().min(0).max(2_147_483_647));

const FilterStyle = z.object({ type: z.string(), style: z.string(), values: z.array(z.string()).optional() }).meta({ id: 'FilterStyle' });

/** What replication with a registry can be told to do. */
export const RegistryInfo = z.object({
  type: z.string(),
  description: z.string().optional(),
  supported_resource_filters: z.array(FilterStyle),
  supported_triggers: z.array(z.string()),
  supported_copy_by_chunk: z.boolean(),
}).meta({ id: 'RegistryInfo' });
export type RegistryInfo = z.infer<typeof RegistryInfo>;

const RegistryProviderInfo = z.object({
  endpoint_pattern: z.object({ endpoint_type: z.string(), endpoints: z.array(z.object({ key: z.string(), value: z.string() })) }),
  credential_pattern: z.object({ access_key_type: z.string(), access_key_data: z.string(), access_secret_type: z.string(), access_secret_data: z.string() }),
}).meta({ id: 'RegistryProviderInfo' });

export const RegistryProviderTypes = z.array(z.string()).meta({ id: 'RegistryProviderTypes' });
export const RegistryProviderInfos = z.record(z.string(), RegistryProviderInfo).meta({ id: 'RegistryProviderInfos' });
export type RegistryProviderInfos = z.infer<typeof RegistryProviderInfos>;
