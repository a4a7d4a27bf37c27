import { z } from 'zod';
import { text } from './fields.js';

/** The only audience this token service serves. */
export const REGISTRY_SERVICE = 'harbor-registry';

const account = text(255).optional();
const service = z.string();

/** GET /service/token (Docker's token authentication specification). */
export const TokenQuery = z.object({
  service,
  scope: z.union([z.string(), z.array(z.string())]).optional(),
  account,
  client_id: text(255).optional(),
  offline_token: z.string().optional(),
}).meta({ id: 'TokenQuery' });
export type TokenQuery = z.infer<typeof TokenQuery>;

/** POST /service/token (the same specification's OAuth2 form). */
export const TokenForm = z.object({
  grant_type: z.string(),
  service,
  client_id: text(255).optional(),
  access_type: z.string().optional(),
  scope: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  refresh_token: z.string().optional(),
}).meta({ id: 'TokenForm' });
export type TokenForm = z.infer<typeof TokenForm>;

/** `expires_in` is in seconds. `token` and `access_token` are the same: clients read one or the other. */
export const TokenAnswer = z.object({
  token: z.string(),
  access_token: z.string(),
  expires_in: z.number().int().positive(),
  issued_at: z.iso.datetime(),
  scope: z.string().optional(),
  token_type: z.literal('Bearer').optional(),
}).meta({ id: 'TokenAnswer' });
export type TokenAnswer = z.infer<typeof TokenAnswer>;
