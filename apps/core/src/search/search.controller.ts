import { Controller, Get, Query } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Search, SearchQuery } from '@haven/api';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { anyone } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds } from '../http/response.interceptor.js';
import { SearchService } from './search.service.js';

@Controller('api/v2.0/search')
export class SearchController {
  constructor(private readonly service: SearchService) {}

  @Get()
  @Operation({ id: 'search', tag: 'search', summary: 'Projects and repositories whose name holds a text, a hundred of each at most' })
  @Requires(anyone)
  @Responds(Search)
  search(@CallerParam() caller: Caller, @Query({ schema: SearchQuery }) { q }: SearchQuery): Promise<Search> {
    return this.service.search(caller, q);
  }
}
