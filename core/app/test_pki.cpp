#include "core/app/test_pki.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <memory>

namespace schakel::app {
namespace fs = std::filesystem;
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Cert = std::unique_ptr<X509, Deleter<X509_free>>;
using Mem = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

Result<void> write_file(const fs::path& path, BIO* from, mode_t mode) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(from, &data);
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fail(ErrorKind::io, "IO", fmt::format("{} cannot be written", path.filename().string()));
  bool ok = ::write(fd, data, static_cast<std::size_t>(size)) == size;
  ok = ::close(fd) == 0 && ok;
  if (!ok) return fail(ErrorKind::io, "IO", fmt::format("{} cannot be written", path.filename().string()));
  return {};
}

void extension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  if (auto* e = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())) {
    X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
  }
}

void name_entry(X509_NAME* name, const char* field, const std::string& value) {
  X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1,
                             0);
}

Cert make(EVP_PKEY* key, EVP_PKEY* signer, X509* issuer, const TestCertificate& c, bool ca) {
  Cert cert(X509_new());
  X509_set_version(cert.get(), 2);
  // Positive 63-bit serial numbers from the generator.
  std::int64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_int64(X509_get_serialNumber(cert.get()), serial & INT64_MAX);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), 365L * 24 * 3600);
  X509_set_pubkey(cert.get(), key);
  auto* name = X509_get_subject_name(cert.get());
  name_entry(name, "C", "NL");
  name_entry(name, "O", c.organisation);
  if (!c.oin.empty()) name_entry(name, "serialNumber", c.oin);
  name_entry(name, "CN", c.server ? "localhost" : c.name);
  X509_set_issuer_name(cert.get(), issuer ? X509_get_subject_name(issuer) : name);
  auto* by = issuer ? issuer : cert.get();
  extension(cert.get(), by, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extension(cert.get(), by, NID_key_usage, ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  extension(cert.get(), by, NID_subject_key_identifier, "hash");
  if (!ca) {
    extension(cert.get(), by, NID_authority_key_identifier, "keyid");
    extension(cert.get(), by, NID_ext_key_usage, c.server ? "serverAuth" : "clientAuth");
    extension(cert.get(), by, NID_subject_alt_name,
              c.server ? "DNS:localhost,IP:127.0.0.1,IP:::1" : "DNS:" + c.name + ".example");
  }
  X509_sign(cert.get(), signer, EVP_sha256());
  return cert;
}

}  // namespace

Result<void> make_test_pki(const fs::path& folder, const std::vector<TestCertificate>& certificates) {
  if (fs::exists(folder / "ca.pem")) return fail(ErrorKind::conflict, "FILE_EXISTS", "certificates are there already");
  std::error_code ec;
  fs::create_directories(folder, ec);
  Key root_key(EVP_EC_gen("P-256"));
  auto root = make(root_key.get(), root_key.get(), nullptr, {"ca", "Schakel TEST", "", false}, true);
  Mem pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(pem.get(), root.get());
  if (auto done = write_file(folder / "ca.pem", pem.get(), 0644); !done) return done;
  for (const auto& c : certificates) {
    Key key(EVP_EC_gen("P-256"));
    auto cert = make(key.get(), root_key.get(), root.get(), c, false);
    Mem cert_pem(BIO_new(BIO_s_mem())), key_pem(BIO_new(BIO_s_secmem()));
    PEM_write_bio_X509(cert_pem.get(), cert.get());
    PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    if (auto done = write_file(folder / (c.name + ".pem"), cert_pem.get(), 0644); !done) return done;
    if (auto done = write_file(folder / (c.name + ".key"), key_pem.get(), 0600); !done) return done;
  }
  return {};
}

}  // namespace schakel::app
