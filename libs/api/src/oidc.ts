import { z } from 'zod';
import { text } from './fields.js';

/** Body of POST /c/oidc/onboard: the name that somebody has chosen. What makes a good one is checked, and explained, by the service. */
export const OIDCOnboardReq = z.object({ username: text(1024) }).meta({ id: 'OIDCOnboardReq' });
export type OIDCOnboardReq = z.infer<typeof OIDCOnboardReq>;

/** Body of POST /system/oidc/ping: the provider to try; what is left out is as the settings have it. */
export const OIDCPingReq = z.object({ url: text(4096).optional(), verify_cert: z.boolean().optional() }).meta({ id: 'OIDCPingReq' });
export type OIDCPingReq = z.infer<typeof OIDCPingReq>;

/** The answer to forms of people who log in, and out, elsewhere. */
export const RedirectLocation = z.object({ redirect_location: z.string() }).meta({ id: 'RedirectLocation' });
export type RedirectLocation = z.infer<typeof RedirectLocation>;

/** Where a browser goes after a login; a path on this server. */
export const OIDCLoginQuery = z.object({ redirect_url: text(4096).optional() });
export type OIDCLoginQuery = z.infer<typeof OIDCLoginQuery>;

/** What a provider sends back with a browser (OpenID Connect Core 1.0, section 3.1.2.5); checked as a whole, with all that it may hold besides. */
export const OIDCCallbackQuery = z.object({
  code: z.union([z.string(), z.array(z.string())]).optional(),
  state: z.union([z.string(), z.array(z.string())]).optional(),
  error: z.union([z.string(), z.array(z.string())]).optional(),
});
export type OIDCCallbackQuery = z.infer<typeof OIDCCallbackQuery>;
