import { Injectable } from '@nestjs/common';
import { RouteTable } from '../http/route-table.service.js';
import { openApiDocument } from './document.js';
import { jsonText, yamlText } from './document-text.js';

/** The API document of the routes that this service has; written once, when somebody first asks. */
@Injectable()
export class OpenApiService {
  #json: string | undefined;
  #yaml: string | undefined;

  constructor(private readonly routes: RouteTable) {}

  get json(): string {
    return (this.#json ??= jsonText(openApiDocument(this.routes.routes)));
  }

  get yaml(): string {
    return (this.#yaml ??= yamlText(openApiDocument(this.routes.routes)));
  }
}
