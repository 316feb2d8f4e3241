/// The commit that the sources are of, as whoever built the program said (VPSD_COMMIT); empty where nobody did.
const char *vpsd_build_commit(void);
