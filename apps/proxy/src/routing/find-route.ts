import { PORTAL, TABLE, V2, type Route } from './routes.js';

const SLASH = 0x2f;

/** The route of a path (raw, without query) that checkTarget has passed. */
export function findRoute(path: string): Route {
  if (path.startsWith('/v2') && (path.length === 3 || path.charCodeAt(3) === SLASH)) return findRegistryRoute(path);
  for (const entry of TABLE) {
    if (entry.path.endsWith('/') ? path.startsWith(entry.path) : path === entry.path) return entry.route;
  }
  return PORTAL;
}

/** `…/manifests/<reference>`, `…/blobs/<digest>`, `…/blobs/uploads/` and `…/blobs/uploads/<id>`; the registry itself checks the rest. */
function findRegistryRoute(path: string): Route {
  const last = path.lastIndexOf('/');
  if (path.endsWith('/manifests', last)) return V2.manifest;
  if (path.endsWith('/blobs/uploads', last)) return V2.upload;
  if (path.endsWith('/blobs', last)) return path.endsWith('/uploads') ? V2.upload : V2.blob;
  return V2.other;
}
