"""eks-migration: brings the database to the schema that this version of the product needs."""
