import { z } from 'zod';
import { text } from './fields.js';

/** Body of POST /system/authproxy/ping: the proxy to try; what is left out is as the settings have it. */
export const AuthProxyPingReq = z.object({
  endpoint: text(4096).optional(),
  tokenreview_endpoint: text(4096).optional(),
  verify_cert: z.boolean().optional(),
  server_certificate: text(65_536).optional(),
}).meta({ id: 'AuthProxyPingReq' });
export type AuthProxyPingReq = z.infer<typeof AuthProxyPingReq>;
