import { CoreModule } from '../core.module.js';
import { routesOf } from '../http/route-table.service.js';
import { openApiDocument } from './document.js';
import { yamlText } from './document-text.js';
import { controllersOf } from './module-controllers.js';

/** The text of docs/api/openapi.yaml as it must be for this code. */
export function committedDocument(): string {
  return yamlText(openApiDocument(routesOf(controllersOf(CoreModule) as Parameters<typeof routesOf>[0])));
}
