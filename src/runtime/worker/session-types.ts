import type { CatalogView } from '../../catalog/index.ts';
import { SystemNames } from '../../catalog/system/index.ts';
import type { TypeDefinition, TypeSource } from '../../types/index.ts';

/** The types of users as a session sees them. One object serves one statement after another. */
export class SessionTypes implements TypeSource {
  searchPath: readonly string[] = [];
  processId = 0;
  private catalog: CatalogView;

  constructor(catalog: CatalogView) {
    this.catalog = catalog;
  }

  use(catalog: CatalogView, searchPath: readonly string[], processId: number): void {
    this.catalog = catalog;
    this.searchPath = searchPath;
    this.processId = processId;
  }

  typeByOid(oid: number): TypeDefinition | undefined {
    return this.catalog.typeByOid(oid);
  }

  isOwnType(oid: number): boolean {
    return this.catalog.isOwnType(oid);
  }

  userTypeName(definition: TypeDefinition): string {
    return new SystemNames(this.catalog, this).userTypeName(definition);
  }
}
