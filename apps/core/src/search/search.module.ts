import { Module } from '@nestjs/common';
import { ProjectModule } from '../project/project.module.js';
import { SearchController } from './search.controller.js';
import { SearchService } from './search.service.js';
import { SearchStore } from './search.store.js';

/** Finding projects and repositories. */
@Module({ imports: [ProjectModule], controllers: [SearchController], providers: [SearchStore, SearchService] })
export class SearchModule {}
