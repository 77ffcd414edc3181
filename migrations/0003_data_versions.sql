-- The version of each kind of data, raised in the transaction that changes it; ready answers are kept under it.
CREATE TABLE data_versions (
    namespace VARCHAR(100) NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT pk_data_versions PRIMARY KEY (namespace)
);
